{#- The strategy `interval`: whole intervals, replaced in commits that each say which ones they hold. What
    is built is decided by the adapter (intervals/building.py), from the ledger. -#}
{% macro penstock_interval_plan(existing) %}
  {%- set plan = adapter.interval_plan(model, existing, should_full_refresh()) -%}
  {%- if plan.warning -%}
    {%- do exceptions.warn(plan.warning) -%}
  {%- endif -%}
  {{ return(plan) }}
{% endmacro %}

{#- One commit. A table that isn't there is made empty first: two runs that make it at once must not take
    each other's intervals away. -#}
{% macro penstock_build_interval(existing, target, compiled_code, chunk) %}
  {%- set select = chunk.filled(compiled_code) -%}
  {%- if chunk.anew -%}
    {%- do penstock_replace(existing, target, select) -%}
  {%- else -%}
    {%- if existing is none -%}
      {%- do penstock_create_empty(target, penstock_checked(select)) -%}
    {%- endif -%}
    {%- if chunk.intervals -%}
      {%- do penstock_increment('interval', target, select, chunk) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_create_empty(target, checked) %}
  {%- set clauses = penstock_table_clauses(penstock_own_location(), checked.columns) -%}
  {%- do adapter.create_interval_table(target, checked.columns, clauses) -%}
{% endmacro %}

{#- A run that wrote no rows explains the model all the same when no plan of its code is kept: the tests of
    plans need one. -#}
{% macro penstock_intervals_built(plan, compiled_code) %}
  {%- if model['language'] == 'sql' and not adapter.has_plan(model) -%}
    {%- do adapter.keep_plan(model, plan.example(compiled_code), false) -%}
  {%- endif -%}
  {%- do store_result('main', response=adapter.interval_response(plan.said)) -%}
{% endmacro %}

{#- How a Python model does the same, in its own session (see python.sql). -#}
{% macro penstock_python_interval(existing, target, chunk) %}
  {%- if chunk.anew or not chunk.intervals -%}
    {%- set write = penstock_python_replacement(existing, target) -%}
  {%- else -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
    {%- set write = {
      'mode': 'replace_where', 'target': target.render(), 'view': make_temp_relation(target).render(),
      'exists': existing is not none, 'on_schema_change': on_schema_change, 'condition': chunk.condition} -%}
  {%- endif -%}
  {%- do write.update({'commit_info': chunk.metadata, 'intervals': chunk.starts}) -%}
  {{ return(write) }}
{% endmacro %}
