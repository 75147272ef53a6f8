{#- A snapshot runs one MERGE. The staged changes are a temporary view, which exists until the session ends. -#}
{% materialization snapshot, adapter='penstock' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = adapter.as_table(this, config.get('file_format')) if existing is none else existing -%}
  {%- do penstock_check_snapshot_target(existing) -%}

  {{ run_hooks(pre_hooks) }}

  {%- set strategy = penstock_snapshot_strategy(existing is not none) -%}
  {%- if existing is none -%}
    {%- do penstock_replace(none, target, build_snapshot_table(strategy, model['compiled_code'])) -%}
  {%- else -%}
    {%- do penstock_merge_snapshot(target, strategy, model['compiled_code']) -%}
  {%- endif -%}

  {%- do apply_grants(target, config.get('grants'), should_revoke(existing, full_refresh_mode=False)) -%}
  {%- do persist_docs(target, model) -%}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro penstock_check_snapshot_target(existing) %}
  {%- set format = penstock_format() -%}
  {%- if not format.merge -%}
    {%- do exceptions.raise_compiler_error(
      'needed: a file_format with MERGE for a snapshot. found: Invalid file format: ' ~ format.name
      ~ '. do: set file_format: delta') -%}
  {%- endif -%}
  {%- if existing and not existing.is_table -%}
    {%- do exceptions.relation_wrong_type(existing, 'table') -%}
  {%- endif -%}
  {%- if existing and not adapter.has_format(existing, format) -%}
    {%- do exceptions.raise_compiler_error(
      'needed: ' ~ existing ~ ' as a ' ~ format.name ~ ' table. found: The existing table ' ~ existing
      ~ ' is in another format. do: rename or drop it, or set file_format') -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_merge_snapshot(target, strategy, select) %}
  {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- do adapter.assert_valid_snapshot_target_given_strategy(target, names, strategy) -%}
  {%- set staging = make_temp_relation(target) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_temporary_view(staging, snapshot_staging_table(strategy, select, target)) }}
  {%- endcall -%}
  {%- set helpers = ['dbt_change_type', 'dbt_unique_key'] -%}
  {%- if strategy.unique_key | is_list -%}
    {%- for key in strategy.unique_key -%}
      {%- do helpers.append('dbt_unique_key_' ~ loop.index) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set present = adapter.get_columns_in_relation(target) | map(attribute='name') | map('lower') | list -%}
  {%- set columns, missing = [], [] -%}
  {%- for column in adapter.get_columns_in_relation(staging) if column.name | lower not in helpers -%}
    {%- do columns.append(column) -%}
    {%- if column.name | lower not in present -%}
      {%- do missing.append(column) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- do create_columns(target, missing) -%}
  {%- set sql = snapshot_merge_sql(target, staging, columns | map(attribute='quoted') | list) -%}
  {{ write(sql) }}
  {%- set keys = strategy.unique_key -%}
  {%- set helper_keys = helpers[2:] if keys | is_list else ['dbt_unique_key'] -%}
  {#- A changed row is staged twice: once to end the current version, and once to insert the new version. The merge
      matches only staged rows of the first kind, so only these rows are searched for duplicate keys if the merge fails.
      -#}
  {%- set ended = '(select * from ' ~ staging ~ " where dbt_change_type != 'insert')" -%}
  {%- set response = adapter.write_rows(sql, target, false, ended, helper_keys, [keys] if keys is string else keys) -%}
  {%- do store_result('main', response=response) -%}
{% endmacro %}

{% macro penstock__snapshot_merge_sql(target, source, insert_cols) %}
  {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set current = config.get('dbt_valid_to_current') -%}
merge into {{ target }} as DBT_INTERNAL_DEST
using {{ source }} as DBT_INTERNAL_SOURCE
on DBT_INTERNAL_SOURCE.{{ names.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ names.dbt_scd_id }}
when matched
  and (DBT_INTERNAL_DEST.{{ names.dbt_valid_to }} is null
  {%- if current %} or DBT_INTERNAL_DEST.{{ names.dbt_valid_to }} = {{ current }}{% endif %})
  and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
  then update set {{ names.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ names.dbt_valid_to }}
when not matched
  and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'
  then insert ({{ insert_cols | join(', ') }})
  values (
    {%- for column in insert_cols -%}
    DBT_INTERNAL_SOURCE.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%})
{% endmacro %}

{#- Return column objects. dbt-spark's macro returns the rows of DESCRIBE instead. dbt's snapshot macros cannot read the
    column names of these rows, and would lose the values of deleted rows. -#}
{% macro penstock__get_columns_in_relation(relation) %}
  {{ return(adapter.get_columns_in_relation(relation)) }}
{% endmacro %}
