{#- Deletes the snapshots of a node's Iceberg table from before the retention period, and the files that no snapshot
    needs. Files that a killed write left behind belong to no snapshot. -#}
{% macro penstock__expired(node, retention_hours) %}
    {%- set before = (run_started_at - modules.datetime.timedelta(hours=retention_hours)).strftime('%Y-%m-%d %H:%M:%S') -%}
    {%- set older = ["older_than => timestamp'" ~ before ~ " UTC'"] -%}
    {%- set expired = penstock__called('expire_snapshots', node, older)[0] -%}
    {%- set orphans = penstock__called('remove_orphan_files', node, older) -%}
    {%- do log(
        'vacuum ' ~ penstock__table_of(node) ~ ': ' ~ expired['deleted_data_files_count'] ~ ' data files of old snapshots and '
        ~ orphans | length ~ ' files of no snapshot deleted, unused for ' ~ retention_hours ~ ' hours', info=true
    ) -%}
{% endmacro %}
