{% macro is_built(relation) %}
    {%- if not execute -%}
        {{- return(true) -}}
    {%- endif -%}
    {{- return(load_relation(relation) is not none) -}}
{% endmacro %}
