{#- Returns a value for an error message: text in quotes, other values as Jinja renders them. -#}
{% macro penstock__shown(value) %}
    {%- if value is string -%}
        {{- return("'" ~ value ~ "'") -}}
    {%- endif -%}
    {{- return((value | string).replace('True', 'true').replace('False', 'false').replace('None', 'none')) -}}
{% endmacro %}
