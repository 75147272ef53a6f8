{#- A value in a message: text in quotes, the rest as Jinja writes it. -#}
{% macro penstock__shown(value) %}
    {%- if value is string -%}
        {{- return("'" ~ value ~ "'") -}}
    {%- endif -%}
    {{- return((value | string).replace('True', 'true').replace('False', 'false').replace('None', 'none')) -}}
{% endmacro %}
