{% macro clustered(columns) %}
    {{- return({'clustered_by': layout_columns('clustered', columns)}) -}}
{% endmacro %}
