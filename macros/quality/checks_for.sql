{% macro checks_for(severity, services) %}
    {%- do valid_services(services or [], 'correct the list of services') -%}
    {%- set found = [] -%}
    {%- for rule in quality_rules() if rule.severity == severity -%}
        {%- if not services or rule.services | select('in', services) | list -%}
            {%- do found.append(rule) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}
