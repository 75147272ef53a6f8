{% macro sorted_within(columns) %}
    {{- return({'sorted_within': layout_columns('sorted_within', columns)}) -}}
{% endmacro %}
