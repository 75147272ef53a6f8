{% materialization table, adapter='penstock', supported_languages=['sql', 'python'] %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = adapter.as_table(this, config.get('file_format')) -%}

  {{ run_hooks(pre_hooks) }}

  {%- do penstock_run_sql_header() -%}
  {%- if model['language'] == 'python' -%}
    {#- dbt accepts this call only in the materialization itself, and not in a macro that the materialization calls. -#}
    {%- call statement('main', language='python') -%}
      {{ penstock_python_job(compiled_code, target, penstock_python_replacement(existing, target)) }}
    {%- endcall -%}
  {%- else -%}
    {%- do penstock_replace(existing, target, compiled_code) -%}
  {%- endif -%}

  {%- do apply_grants(target, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) -%}
  {%- do persist_docs(target, model) -%}

  {%- do adapter.work_is_done() %}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target]}) }}
{% endmaterialization %}
