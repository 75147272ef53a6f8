{#- Runs one OPTIMIZE with the model's target file size and logs the result. -#}
{% macro penstock__optimized(operation, node, where, by) %}
    {%- set table = penstock__table_of(node) -%}
    {%- set sql = 'optimize ' ~ table ~ (' where ' ~ where if where else '') ~ (' ' ~ by if by else '') -%}
    {%- set metrics = fromjson(penstock__in_session(adapter.layout_of(node).maintenance(), sql).rows[0][1]) -%}
    {%- do log(
        operation ~ ' ' ~ table ~ ': ' ~ metrics.numFilesRemoved ~ ' files of '
        ~ penstock__in_megabytes(metrics.filesRemoved.totalSize) ~ ' became ' ~ metrics.numFilesAdded ~ ' of '
        ~ penstock__in_megabytes(metrics.filesAdded.totalSize) ~ (', ' ~ by if by else ''), info=true
    ) -%}
{% endmacro %}
