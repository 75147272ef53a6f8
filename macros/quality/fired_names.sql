{% macro fired_names(checks, services) -%}
    array_compact(array(
        {%- for check in checks %}
        case when
            {%- if services | reject('in', check.services) | list %} service_type in ('
            {{- check.services | select('in', services) | join("', '") }}') and
            {%- endif %} ({{ check.condition }}) then '{{ check.name }}' end
            {{- ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
