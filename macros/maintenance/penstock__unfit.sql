{#- Returns why an operation can't work on a node (needed, found, advice); none if it can. -#}
{% macro penstock__unfit(operation, node, needs) %}
    {%- set kind, format = node.config.materialized, penstock__format_of(node) -%}
    {%- set abilities = {
        'small or old files': format.optimizes or format.procedures,
        'clustered_by': format.optimizes and node.config.get('clustered_by'),
        'statistics in the catalog': format.analyzes
    } -%}
    {%- if kind not in ['table', 'incremental', 'snapshot', 'seed'] -%}
        {{- return({
            'needed': operation ~ '() takes a table', 'found': node.name ~ ', which is materialized as ' ~ kind,
            'advice': 'set materialized: table, or leave it out'
        }) -}}
    {%- endif -%}
    {%- if not abilities[needs] -%}
        {{- return({
            'needed': operation ~ '() takes a table with ' ~ needs,
            'found': node.name ~ ', a ' ~ format.name ~ ' table' ~ (' without' if format.optimizes else ''),
            'advice': {
                'small or old files': 'set file_format: delta, or leave it out',
                'clustered_by': 'set clustered_by on a delta table, or run compact',
                'statistics in the catalog': 'leave it out: Delta and Iceberg keep statistics of every file they write'
            }[needs]
        }) -}}
    {%- endif -%}
    {#- In a model's own hook the table exists before dbt's cache contains it. -#}
    {%- set hooked = this is defined and this and model.unique_id == node.unique_id -%}
    {%- if not hooked and load_relation(penstock__table_of(node)) is none -%}
        {{- return({
            'needed': operation ~ '() takes a table that exists',
            'found': 'no ' ~ penstock__table_of(node), 'advice': 'run dbt run --select ' ~ node.name
        }) -}}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}
