{#- Return the strategy of a snapshot. In dbt's own strategies, columns are quoted. A strategy that the project defines
    is returned unchanged. -#}
{% macro penstock_snapshot_strategy(exists) %}
  {%- set name = config.get('strategy') -%}
  {%- set strategy = strategy_dispatch(name)(model, 'snapshotted_data', 'source_data', model['config'], exists) -%}
  {%- if name not in ['timestamp', 'check'] -%}
    {{ return(strategy) }}
  {%- endif -%}
  {%- set columns = adapter.columns_of_query(model['compiled_code']) -%}
  {%- set key = config.get('unique_key') -%}
  {%- set key = penstock_quoted(key, columns) if key | is_list else adapter.column_name(key, columns) -%}
  {%- set time = adapter.column_name(strategy.updated_at, columns) -%}
  {%- set scd_id = snapshot_hash_arguments(api.Relation.scd_args(key, time)) -%}
  {%- do strategy.update({'unique_key': key, 'updated_at': time, 'scd_id': scd_id}) -%}
  {%- if name == 'timestamp' -%}
    {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- do strategy.update({'row_changed': '(snapshotted_data.' ~ names.dbt_valid_from ~ ' < source_data.' ~ time ~ ')'}) -%}
  {%- endif -%}
  {{ return(strategy) }}
{% endmacro %}

{#- Replaces dbt's macro, to quote names and to ignore letter case. Return whether the table lacks a checked column, and
    the checked columns that the table has. -#}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
  {%- if not target_exists -%}
    {{ return((false, [])) }}
  {%- endif -%}
  {%- set columns = adapter.columns_of_query(node['compiled_code']) -%}
  {%- set checked = columns | map(attribute='quoted') | list -%}
  {%- if check_cols_config is sequence and check_cols_config is not string and check_cols_config -%}
    {%- set select -%}
      select {{ penstock_quoted(check_cols_config, columns) | join(', ') }} from (
        {{ node['compiled_code'] }}
      ) as DBT_INTERNAL_CHECKED
    {%- endset -%}
    {%- set checked = adapter.columns_of_query(select) | map(attribute='quoted') | list -%}
  {%- elif check_cols_config != 'all' -%}
    {%- do exceptions.raise_compiler_error("Invalid value for 'check_cols': " ~ check_cols_config) -%}
  {%- endif -%}
  {%- set target = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
  {%- set present = adapter.get_columns_in_relation(target) | map(attribute='quoted') | map('lower') | list -%}
  {%- set shared = [] -%}
  {%- for name in checked if name | lower in present -%}
    {%- do shared.append(name) -%}
  {%- endfor -%}
  {{ return((shared | length < checked | length, shared)) }}
{%- endmacro %}

{#- With this macro, a null key matches a null key. With dbt's macro, a null key matches no key, so each run would add
    another version of the row. -#}
{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}
  {%- if unique_key is string -%}
    {{ identifier }}.dbt_unique_key <=> {{ from_identifier }}.dbt_unique_key
  {%- else -%}
    {%- for key in unique_key -%}
      {{ 'and ' if not loop.first }}{{ identifier }}.dbt_unique_key_{{ loop.index }} <=> {{ from_identifier }}.dbt_unique_key_{{ loop.index }}{{ ' ' }}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{#- Return the condition that an outer join found no row on one side. dbt's macro tests whether the key is null. With
    these macros, the key of an existing row may be null too, so this condition does not test the key. -#}
{% macro unique_key_is_null(unique_key, identifier) %}
  {%- if identifier == 'snapshotted_data' -%}
    {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    snapshotted_data.{{ names.dbt_scd_id }} is null
  {%- else -%}
    not exists (
      select 1 from deletes_source_data as present
      where {{ unique_key_join_on(unique_key, 'present', 'snapshotted_data') }}
    )
  {%- endif -%}
{% endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) %}
  not ({{ unique_key_is_null(unique_key, identifier) }})
{% endmacro %}
