{#- For most rows no check fires, so the array of names is built only for the others. -#}
{% macro fired_names(checks, services) -%}
    {%- set conditions = [] -%}
    {%- for check in checks -%}
        {%- set guard -%}
            {%- if services | reject('in', check.services) | list -%}
                service_type in ('{{ check.services | select('in', services) | join("', '") }}') and{{ ' ' }}
            {%- endif -%}
        {%- endset -%}
        {%- do conditions.append(guard ~ '(' ~ check.condition ~ ')') -%}
    {%- endfor -%}
    case when
        {%- for condition in conditions %}
        {{ 'or ' if not loop.first }}{{ condition }}
        {%- endfor %}
    then array_remove(array(
        {%- for check in checks %}
        case when {{ conditions[loop.index0] }} then '{{ check.name }}' else '' end
            {{- ',' if not loop.last }}
        {%- endfor %}
    ), '') else cast(array() as array<string>) end
{%- endmacro %}
