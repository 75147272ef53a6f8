{#- Returns whether a value is a name, with or without dots. A hint is a comment, so a name must not end it. -#}
{% macro penstock__is_name(value) %}
    {%- if value is not string -%}
        {{- return(false) -}}
    {%- endif -%}
    {%- set broken = '*/' in value or '/*' in value or '\n' in value or '(' in value or ')' in value -%}
    {{- return(not broken and '' not in value.split('.') and value == value.strip()) -}}
{% endmacro %}
