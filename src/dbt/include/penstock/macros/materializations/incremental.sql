{% materialization incremental, adapter='penstock', supported_languages=['sql', 'python'] %}
  {%- set strategy = penstock_strategy() -%}
  {%- set existing = load_cached_relation(this) -%}

  {{ run_hooks(pre_hooks) }}

  {%- do penstock_run_sql_header() -%}
  {%- set full_refresh = existing is none or existing.is_view or should_full_refresh() -%}
  {%- set target = adapter.as_table(this, config.get('file_format')) if full_refresh else existing -%}
  {%- if strategy == 'interval' -%}
    {%- set target = adapter.as_table(this, config.get('file_format')) -%}
    {%- set plan = penstock_interval_plan(existing) -%}
    {%- for planned in plan.commits -%}
      {%- set commit = adapter.interval_begin(model, planned) -%}
      {%- if model['language'] == 'python' -%}
        {%- call statement('main', language='python') -%}
          {{ penstock_python_job(compiled_code, target, penstock_python_interval(existing, target, commit), commit) }}
        {%- endcall -%}
      {%- else -%}
        {%- do penstock_build_interval(existing, target, compiled_code, commit) -%}
      {%- endif -%}
      {%- do adapter.interval_done(model, commit) -%}
    {%- endfor -%}
    {%- do penstock_intervals_built(plan, compiled_code) -%}
  {%- elif model['language'] == 'python' -%}
    {%- set write = penstock_python_replacement(existing, target) if full_refresh else penstock_python_increment(strategy, target) -%}
    {#- dbt accepts this call only in the materialization itself, and not in a macro that the materialization calls. -#}
    {%- call statement('main', language='python') -%}
      {{ penstock_python_job(compiled_code, target, write) }}
    {%- endcall -%}
  {%- elif full_refresh -%}
    {%- do penstock_replace(existing, target, compiled_code) -%}
  {%- else -%}
    {%- do penstock_increment(strategy, target, compiled_code) -%}
  {%- endif -%}

  {%- do apply_grants(target, config.get('grants'), should_revoke(existing, should_full_refresh())) -%}
  {%- do persist_docs(target, model) -%}

  {%- do adapter.work_is_done() %}

  {{ run_hooks(post_hooks) }}

  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Return the strategy's name. If the strategy is built in, check that the table format supports it, before any SQL
    runs. -#}
{% macro penstock_strategy() %}
  {%- set format = penstock_format() -%}
  {%- set strategy = config.get('incremental_strategy') or 'append' -%}
  {%- set strategy = 'append' if strategy == 'default' else strategy -%}
  {%- set own = 'get_incremental_' ~ strategy ~ '_sql' in context and strategy not in ['merge', 'delete_insert'] -%}
  {%- if strategy not in format.strategies and not own -%}
    {%- set missing = '' if strategy in ['merge', 'delete+insert'] else
      ' (dbt could not find an incremental strategy macro with the name "get_incremental_' ~ strategy ~ '_sql")' -%}
    {%- do exceptions.raise_compiler_error(
      'needed: an incremental_strategy that ' ~ format.name ~ ' has (' ~ format.strategies | join(', ')
      ~ '), or a macro get_incremental_' ~ strategy ~ '_sql. found: Invalid incremental strategy provided: ' ~ strategy
      ~ missing ~ '. do: change incremental_strategy or file_format') -%}
  {%- endif -%}
  {%- if strategy == 'microbatch' and not format.replace_where and not config.get('partition_by') -%}
    {%- do exceptions.raise_compiler_error(
      "needed: partition_by, of the grain of batch_size, for the 'microbatch' strategy on " ~ format.name
      ~ '. found: none. do: set partition_by' ~ ('' if format.catalog else ', or file_format: delta')) -%}
  {%- endif -%}
  {{ return(strategy) }}
{% endmacro %}

{#- Return whether a strategy overwrites the partitions of its rows. -#}
{% macro penstock_overwrites_partitions(strategy) %}
  {%- set overwrites = strategy == 'insert_overwrite' or (strategy == 'microbatch' and not penstock_format().replace_where) -%}
  {{ return(overwrites and config.get('partition_by') is not none) }}
{% endmacro %}

{% macro penstock_increment(strategy, target, compiled_code, commit=none) %}
  {%- set source = make_temp_relation(target) -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- do penstock_check_readable(target) -%}
  {%- set contracted = penstock_contracted(compiled_code) -%}
  {%- call statement('create_tmp_relation') -%}
    {{ create_temporary_view(source, contracted if strategy == 'merge' else penstock_arranged(contracted)) }}
  {%- endcall -%}
  {%- set source_columns = process_schema_changes(on_schema_change, source, target) -%}
  {%- set target_columns = adapter.get_columns_in_relation(target) -%}
  {%- if penstock_overwrites_partitions(strategy) -%}
    {%- call statement('overwrite_mode') -%}
      set spark.sql.sources.partitionOverwriteMode = DYNAMIC
    {%- endcall -%}
  {%- endif -%}
  {%- set render = adapter.get_incremental_strategy_macro(context, strategy) -%}
  {%- set sql = render({
    'target_relation': target,
    'temp_relation': source,
    'unique_key': config.get('unique_key'),
    'dest_columns': source_columns or target_columns,
    'target_columns': target_columns,
    'interval_condition': commit.condition if commit else none,
    'interval_options': commit.write_options if commit else none,
    'interval_check': commit.row_check if commit else none,
    'incremental_predicates': config.get('predicates') or config.get('incremental_predicates')}) -%}
  {{ write(sql) }}
  {%- do penstock_keep_plan('select * from ' ~ source) -%}
  {%- if commit -%}
    {%- set response = adapter.write_interval(sql, commit) -%}
  {%- else -%}
    {%- set keys = penstock_keys(config.get('unique_key'), source_columns or target_columns) if strategy == 'merge' else [] -%}
    {%- set response = adapter.write_rows(sql, target, adapter.writes_alone(model), source.render(), keys) -%}
  {%- endif -%}
  {%- do store_result('main', response=response) -%}
  {%- if on_schema_change == 'sync_all_columns' and source_columns -%}
    {%- set kept = source_columns | map(attribute='name') | map('lower') | list -%}
    {%- set dropped = [] -%}
    {%- for column in target_columns if column.name | lower not in kept -%}
      {%- do dropped.append(column.name) -%}
    {%- endfor -%}
    {%- if dropped -%}
      {%- do penstock_drop_columns(target, dropped) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{#- Return a dictionary that describes how the rows of a Python model are written to the model's existing table. The
    model runs in its own session, which writes the rows (see python.sql). -#}
{% macro penstock_python_increment(strategy, target) %}
  {%- set source = make_temp_relation(target) -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set write = {
    'mode': strategy, 'target': target.render(), 'view': source.render(), 'exists': true,
    'on_schema_change': on_schema_change, 'alone': adapter.writes_alone(model)} -%}
  {%- if strategy == 'microbatch' -%}
    {%- do write.update({'batch': {
      'start': model.batch.event_time_start.isoformat(), 'end': model.batch.event_time_end.isoformat()}}) -%}
    {%- if penstock_format().replace_where -%}
      {%- do write.update({'mode': 'replace_where', 'condition': penstock_batch_condition(adapter.get_columns_in_relation(target))}) -%}
    {%- else -%}
      {%- do write.update({'mode': 'insert_overwrite'}) -%}
    {%- endif -%}
  {%- elif strategy not in ['append', 'insert_overwrite'] -%}
    {%- set render = adapter.get_incremental_strategy_macro(context, strategy) -%}
    {%- set columns = adapter.get_columns_in_relation(target) -%}
    {%- do write.update({'mode': 'merge', 'keys': penstock_keys(config.get('unique_key'), columns), 'merge_sql': render({
      'target_relation': target,
      'temp_relation': source,
      'unique_key': config.get('unique_key'),
      'dest_columns': none,
      'incremental_predicates': config.get('predicates') or config.get('incremental_predicates')})}) -%}
  {%- endif -%}
  {{ return(write) }}
{% endmacro %}
