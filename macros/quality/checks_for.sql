{% macro checks_for(checks, services) %}
    {%- set known = ['green', 'yellow', 'fhvhv'] -%}
    {%- for service in services or [] -%}
        {%- if service not in known -%}
            {{ exceptions.raise_compiler_error(
                "services are " ~ known | join(', ') ~ " and '" ~ service ~ "' was given; "
                ~ "correct the list of services"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for check in checks if not services or check.services | select('in', services) | list -%}
        {%- do found.append(check) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
