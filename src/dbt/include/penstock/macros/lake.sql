{#- For `on-run-start`: bring Spark's tables over the lake up to date with its manifest. -#}
{% macro penstock_sync_lake() %}
  {% if execute and flags.WHICH in ['run', 'build', 'test', 'seed', 'snapshot', 'retry', 'run-operation', 'freshness'] %}
    {% do log('lake: ' ~ adapter.sync_lake()) %}
  {% endif %}
{% endmacro %}
