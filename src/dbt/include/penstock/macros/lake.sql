{#- Register the tables of the lake and their months with Spark. A project calls this macro in `on-run-start`. -#}
{% macro penstock_sync_lake() %}
  {% if execute and flags.WHICH in ['run', 'build', 'test', 'seed', 'snapshot', 'retry', 'run-operation', 'freshness'] %}
    {% do log('lake: ' ~ adapter.sync_lake()) %}
  {% endif %}
{% endmacro %}

{#- Raise an error if a dataset of the lake has no files. Without this error, dbt would read the missing time as the
    year 1, and report a stale source without a reason. -#}
{% macro penstock__collect_freshness_custom_sql(source, loaded_at_query) %}
  {%- set result = default__collect_freshness_custom_sql(source, loaded_at_query) -%}
  {%- if source.schema == 'lake' and result.table.rows[0][0] is none -%}
    {%- do exceptions.raise_compiler_error(
      'needed: a month of ' ~ source.identifier ~ ' in the lake. found: none is live. do: `penstock land '
      ~ source.identifier ~ ' MONTH`, or leave the dataset out: --exclude source:lake.' ~ source.identifier) -%}
  {%- endif -%}
  {{ return(result) }}
{% endmacro %}
