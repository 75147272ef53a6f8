{#- This file renders the statements of the incremental strategies. The macros' `arguments` is dbt's dictionary with the
    additional key `target_columns`, which contains the table's columns in the table's order. -#}
{% macro penstock_select_list(arguments) %}
  {%- set names = arguments['dest_columns'] | map(attribute='name') | map('lower') | list -%}
  {%- for column in arguments['target_columns'] -%}
    {{ column.quoted if column.name | lower in names else 'cast(null as ' ~ column.data_type ~ ') as ' ~ column.quoted }}
    {{- ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{% macro penstock__get_incremental_append_sql(arguments) %}
insert into {{ arguments['target_relation'] }}
select {{ penstock_select_list(arguments) }}
from {{ arguments['temp_relation'] }}
{% endmacro %}

{% macro penstock__get_incremental_default_sql(arguments) %}
  {{ return(penstock__get_incremental_append_sql(arguments)) }}
{% endmacro %}

{#- The statement has no PARTITION clause, so that the columns keep the table's order. If the table is partitioned, the
    session's overwrite mode is dynamic, so the statement replaces only the partitions of the new rows. -#}
{% macro penstock__get_incremental_insert_overwrite_sql(arguments) %}
insert overwrite {{ arguments['target_relation'] }}
select {{ penstock_select_list(arguments) }}
from {{ arguments['temp_relation'] }}
{% endmacro %}

{#- Replace the rows of a microbatch in one commit. If the format has no REPLACE WHERE, replace the microbatch's
    partitions. -#}
{% macro penstock__get_incremental_microbatch_sql(arguments) %}
  {%- if not penstock_format().replace_where -%}
    {{ return(penstock__get_incremental_insert_overwrite_sql(arguments)) }}
  {%- endif -%}
insert into {{ arguments['target_relation'] }}
replace where {{ penstock_batch_condition(arguments['target_columns']) }}
select {{ penstock_select_list(arguments) }}
from {{ arguments['temp_relation'] }}
{% endmacro %}

{#- Return the condition that selects a microbatch's rows. dbt uses the same condition for the microbatch's inputs.
    Spark casts the times, which are text in the condition, to the column's type: date or timestamp. -#}
{% macro penstock_batch_condition(columns) %}
  {%- set time = adapter.column_name(config.get('event_time'), columns) -%}
  {{ return(time ~ " >= '" ~ model.batch.event_time_start ~ "' and " ~ time ~ " < '" ~ model.batch.event_time_end ~ "'") }}
{% endmacro %}

{% macro penstock__get_incremental_merge_sql(arguments) %}
  {{ return(get_merge_sql(
    arguments['target_relation'], arguments['temp_relation'], arguments['unique_key'],
    arguments['dest_columns'], arguments['incremental_predicates'])) }}
{% endmacro %}

{#- A Python model has no `dest_columns`, because its columns are not known before the model has run. Without
    `dest_columns`, the statement has a star with a comment in place of each list of columns. After the model has run,
    python_runtime/writer.py replaces each star with the columns. -#}
{% macro penstock__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) %}
  {%- set columns = adapter.get_columns_in_relation(target) if dest_columns is none else dest_columns -%}
  {%- set conditions = penstock_merge_conditions(unique_key, incremental_predicates, columns) -%}
  {%- set updates = penstock_merge_updates(target, dest_columns) -%}
merge into {{ target }} as DBT_INTERNAL_DEST
using {{ source }} as DBT_INTERNAL_SOURCE
on ({{ conditions | join(') and (') }})
  {%- if unique_key %}
when matched then update set
  {%- if updates is none %} /* all columns */ *
  {%- else %}
    {%- for name in updates %}
  {{ name }} = DBT_INTERNAL_SOURCE.{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
  {%- endif %}
  {%- endif %}
when not matched then insert
  {%- if dest_columns is none %} /* all columns */ *
  {%- else %} ({{ dest_columns | map(attribute='quoted') | join(', ') }})
  values (
    {%- for column in dest_columns -%}
    DBT_INTERNAL_SOURCE.{{ column.quoted }}{{ ', ' if not loop.last }}
    {%- endfor -%})
  {%- endif %}
{% endmacro %}

{#- Return the conditions of a merge. A key that is a column is quoted. A key that is other SQL stays unchanged. -#}
{% macro penstock_merge_conditions(unique_key, incremental_predicates, columns) %}
  {%- set predicates = incremental_predicates or [] -%}
  {%- set conditions = [predicates] if predicates is string else predicates | list -%}
  {%- set keys = penstock_keys(unique_key, columns) -%}
  {%- for key in keys -%}
    {%- do conditions.append(get_merge_unique_key_match('DBT_INTERNAL_SOURCE.' ~ key, 'DBT_INTERNAL_DEST.' ~ key)) -%}
  {%- endfor -%}
  {{ return(conditions if keys else ['false']) }}
{% endmacro %}

{% macro penstock_keys(unique_key, columns) %}
  {{ return(penstock_quoted(([unique_key] if unique_key is string else unique_key or []) | select, columns)) }}
{% endmacro %}

{#- Return the columns that a merge updates in matched rows, according to `merge_update_columns` or
    `merge_exclude_columns`. By default, these are all columns. -#}
{% macro penstock_merge_updates(target, dest_columns) %}
  {%- set updated = penstock_names('merge_update_columns') -%}
  {%- set excluded = penstock_names('merge_exclude_columns') | map('replace', '`', '') | list -%}
  {%- set columns = dest_columns -%}
  {%- if columns is none and (updated or excluded) -%}
    {%- set columns = adapter.get_columns_in_relation(target) -%}
  {%- endif -%}
  {%- set updated = penstock_quoted(updated, columns) -%}
  {%- set chosen = get_merge_update_columns(updated, excluded, columns) -%}
  {%- if chosen is none and columns is not none -%}
    {%- set chosen = columns | map(attribute='quoted') | list -%}
  {%- endif -%}
  {{ return(chosen) }}
{% endmacro %}

{#- Return the columns in a configuration as SQL. Columns of the relation are quoted. -#}
{% macro penstock_quoted(names, columns) %}
  {%- set quoted = [] -%}
  {%- for name in names -%}
    {%- do quoted.append(adapter.column_name(name, columns)) -%}
  {%- endfor -%}
  {{ return(quoted) }}
{% endmacro %}
