{#- Compacts the files of a node's Iceberg table and logs the result. -#}
{% macro penstock__rewritten(node, where) %}
    {%- set arguments = ['where => ' ~ adapter.literal(where)] if where else [] -%}
    {%- set done = penstock__called('rewrite_data_files', node, arguments)[0] -%}
    {%- do log(
        'compact ' ~ penstock__table_of(node) ~ ': ' ~ done['rewritten_data_files_count'] ~ ' files of '
        ~ penstock__in_megabytes(done['rewritten_bytes_count'] | int) ~ ' became ' ~ done['added_data_files_count'],
        info=true
    ) -%}
{% endmacro %}
