{% macro clustered(columns) %}
    {{- return({'clustered_by': penstock__layout_columns('clustered', columns)}) -}}
{% endmacro %}
