{#- Delta 4 ignores a RETAIN other than 0 and uses the table's retention, unless a setting disables that. -#}
{% macro vacuum(model=none, retention_hours=168) %}
    {%- if retention_hours is not number or retention_hours is boolean or retention_hours < 168 -%}
        {{- penstock__refuse(
            'vacuum() takes retention_hours of at least 168, a week', penstock__shown(retention_hours),
            'keep a week: a query or a write that began before may still read the files. Delta has a safety check of '
            ~ 'its own against fewer hours, spark.databricks.delta.retentionDurationCheck.enabled; who is sure that '
            ~ 'nothing else runs sets it to false and sends VACUUM by hand'
        ) -}}
    {%- endif -%}
    {%- set delta = 'spark.databricks.delta.vacuum.' -%}
    {#- The last setting is the number of tasks that list files. Its default of 10,000 takes 20 s per table. -#}
    {%- set settings = {
        delta ~ 'retentionWindowIgnore.enabled': 'false', delta ~ 'logging.enabled': 'true',
        'spark.sql.sources.parallelPartitionDiscovery.parallelism': 64
    } -%}
    {%- if execute -%}
        {%- set tables = [] -%}
        {%- for node in penstock__maintained('vacuum', model, 'small or old files') -%}
            {%- if penstock__format_of(node).procedures -%}
                {%- do penstock__expired(node, retention_hours) -%}
            {%- else -%}
                {%- do tables.append(penstock__table_of(node)) -%}
            {%- endif -%}
        {%- endfor -%}
        {#- The run ledger is not a node of the graph, and accumulates old files when it is compacted. -#}
        {%- set ledger = api.Relation.create(schema=target.schema, identifier='batch_runs') -%}
        {%- if model is none and not (this is defined and this) and load_relation(ledger) is not none -%}
            {%- do tables.append(ledger) -%}
        {%- endif -%}
        {%- for table in tables -%}
            {%- do penstock__in_session(settings, 'vacuum ' ~ table ~ ' retain ' ~ retention_hours ~ ' hours') -%}
            {%- set done = run_query('describe history ' ~ table ~ ' limit 2').rows -%}
            {%- set ended, started = fromjson(done[0]['operationMetrics']), fromjson(done[1]['operationMetrics']) -%}
            {%- do log(
                'vacuum ' ~ table ~ ': ' ~ ended.numDeletedFiles ~ ' files of '
                ~ penstock__in_megabytes(started.sizeOfDataToDelete | int) ~ ' deleted, unused for '
                ~ retention_hours ~ ' hours', info=true
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
