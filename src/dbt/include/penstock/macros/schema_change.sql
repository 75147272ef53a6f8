{#- Before the write, adapt a table's columns to the columns of its new rows: add columns in one statement, and widen
    types. Removed columns are dropped after the write, so that a failed run loses no data. -#}
{% macro penstock__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
  {%- set added = schema_changes_dict['source_not_in_target'] -%}
  {%- if added -%}
    {%- do create_columns(target_relation, added) -%}
  {%- endif -%}
  {%- if on_schema_change == 'sync_all_columns' -%}
    {%- for change in schema_changes_dict['new_target_types'] -%}
      {%- do alter_column_type(target_relation, change['column_name'], change['new_type']) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{#- Check that a table has no column with the type of a NULL literal, because such a column cannot be read. Tables that
    other programs or older versions of penstock created may have such columns. -#}
{% macro penstock_check_readable(relation) %}
  {%- for column in adapter.get_columns_in_relation(relation) if column.stored_type != column.data_type -%}
    {%- do exceptions.raise_compiler_error(
      'needed: columns of ' ~ relation ~ ' that can be read. found: ' ~ column.name ~ ' is ' ~ column.data_type
      ~ ', the type of a NULL literal. do: rebuild the table with --full-refresh') -%}
  {%- endfor -%}
{% endmacro %}

{#- The relation's name comes from `render()`, because with `--empty` a ref alone renders as a query without rows. -#}
{% macro penstock__alter_column_type(relation, column_name, new_column_type) %}
  {%- if not execute -%}
    {{ return('') }}
  {%- endif -%}
  {%- set types = {} -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- do types.update({column.name | lower: column.dtype}) -%}
  {%- endfor -%}
  {%- set old = types[column_name | lower] -%}
  {%- set change = adapter.type_change(old, new_column_type) -%}
  {%- set properties = penstock_format().widen_columns_with -%}
  {%- if change == 'widens' and properties is not none -%}
    {%- do penstock_set_properties(relation, properties) -%}
    {%- call statement('alter_column_type') -%}
      alter table {{ relation.render() }} alter column {{ adapter.quote(column_name) }} type {{ new_column_type }}
    {%- endcall -%}
  {%- elif change != 'fits' -%}
    {%- do exceptions.raise_compiler_error(
      'needed: a type of column ' ~ column_name ~ ' that ' ~ relation ~ ' can hold. found: ' ~ old
      ~ ' in the table, ' ~ new_column_type ~ ' in the model. do: cast it to ' ~ old
      ~ ' in the model, or rebuild the table with --full-refresh') -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_drop_columns(relation, names) %}
  {%- set properties = penstock_format().drop_columns_with -%}
  {%- if properties is none -%}
    {%- do exceptions.raise_compiler_error(
      'needed: a table format that can drop columns (' ~ names | join(', ') ~ '). found: '
      ~ penstock_format().name ~ '. do: set file_format: delta, keep the columns with '
      ~ 'on_schema_change: append_new_columns, or rebuild the table with --full-refresh') -%}
  {%- endif -%}
  {%- do penstock_set_properties(relation, properties) -%}
  {%- call statement('drop_columns') -%}
    alter table {{ relation.render() }} drop columns ({% for name in names %}{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor %})
  {%- endcall -%}
{% endmacro %}

{#- Set the properties that the table does not have yet. If the table already has column mapping in the mode `id`, the
    mode stays unchanged. -#}
{% macro penstock_set_properties(relation, properties) %}
  {%- if not properties -%}
    {{ return('') }}
  {%- endif -%}
  {%- set present = {} -%}
  {%- for row in fetch_tbl_properties(relation) -%}
    {%- do present.update({row[0]: row[1]}) -%}
  {%- endfor -%}
  {%- for name, value in properties.items()
      if present.get(name) != value and not (name == 'delta.columnMapping.mode' and present.get(name) == 'id') -%}
    {%- call statement('set_property') -%}
      alter table {{ relation.render() }} set tblproperties ({{ penstock_literal(name) }} = {{ penstock_literal(value) }})
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{% macro penstock__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {%- if add_columns -%}
    {%- do create_columns(relation, add_columns) -%}
  {%- endif -%}
  {%- if remove_columns -%}
    {%- do penstock_drop_columns(relation, remove_columns | map(attribute='name') | list) -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock__create_columns(relation, columns) %}
  {%- if columns -%}
  {%- if penstock_format().features -%}
    {%- do penstock_set_properties(relation, adapter.needed_properties(columns, {})) -%}
  {%- endif -%}
  {%- call statement('add_columns') -%}
    alter table {{ relation.render() }} add columns (
      {%- for column in columns %}
      {{ adapter.quote(column.name) }} {{ column.stored_type }}{{ ',' if not loop.last }}
      {%- endfor %}
    )
  {%- endcall -%}
  {%- endif -%}
{% endmacro %}
