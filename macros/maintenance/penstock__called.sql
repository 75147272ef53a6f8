{#- Calls an Iceberg procedure on a node's table and returns its row. -#}
{% macro penstock__called(procedure, node, arguments) %}
    {%- set table = penstock__table_of(node) -%}
    {%- set given = ["table => '" ~ adapter.name_in_catalog(table) ~ "'"] + arguments -%}
    {%- set sql = 'call ' ~ (node.database or target.database) ~ '.system.' ~ procedure ~ '(' ~ given | join(', ') ~ ')' -%}
    {{- return(run_query(sql).rows) -}}
{% endmacro %}
