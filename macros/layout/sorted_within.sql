{% macro sorted_within(columns) %}
    {{- return({'sorted_within': penstock__layout_columns('sorted_within', columns)}) -}}
{% endmacro %}
