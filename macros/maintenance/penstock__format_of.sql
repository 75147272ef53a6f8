{#- Returns the table format of a node of dbt's graph. -#}
{% macro penstock__format_of(node) %}
    {{- return(adapter.table_format(node.config.get('file_format'), node.database)) -}}
{% endmacro %}
