{#- Whether a value is a name, dotted or not. A hint is a comment: what ends one can be no part of it. -#}
{% macro penstock__is_name(value) %}
    {%- if value is not string -%}
        {{- return(false) -}}
    {%- endif -%}
    {%- set broken = '*/' in value or '/*' in value or '\n' in value or '(' in value or ')' in value -%}
    {{- return(not broken and '' not in value.split('.') and value == value.strip()) -}}
{% endmacro %}
