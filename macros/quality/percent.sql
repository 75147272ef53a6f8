{% macro percent(share) %}
    {{- return((100 * share | float) | round(2) ~ ' %') -}}
{% endmacro %}
