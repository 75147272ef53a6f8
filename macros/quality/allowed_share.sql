{% macro allowed_share(rule, level, service) %}
    {%- set given = rule.get(level) -%}
    {{- return(given.get(service) if given is mapping else given) -}}
{% endmacro %}
