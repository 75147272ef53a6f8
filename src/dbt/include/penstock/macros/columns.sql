{#- dbt's own comparisons of column names and types, without letter case and with whole types. -#}
{% macro diff_columns(source_columns, target_columns) %}
  {{ return(adapter.columns_without(source_columns, target_columns)) }}
{% endmacro %}

{% macro penstock__diff_column_data_types(source_columns, target_columns) %}
  {%- set result = [] -%}
  {%- set types = {} -%}
  {%- for column in source_columns -%}
    {%- do types.update({column.name: column}) -%}
  {%- endfor -%}
  {%- for name, column in adapter.matched(types, target_columns | map(attribute='name')).items() -%}
    {%- set old = target_columns | selectattr('name', 'equalto', name) | first -%}
    {%- if not old.takes(column) -%}
      {%- do result.append({'column_name': name, 'new_type': column.stored_type}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(result) }}
{% endmacro %}

{#- Names in which one is found whatever its letter case. -#}
{% macro get_list_of_column_names(columns) %}
  {{ return(adapter.names(columns)) }}
{% endmacro %}

{#- Which columns a snapshot compares: those of `check_cols` that its table has, by the table's names, and
    whether there are others. -#}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) %}
  {%- if not target_exists -%}
    {{ return((false, [])) }}
  {%- endif -%}
  {%- if check_cols_config == 'all' -%}
    {%- set wanted = adapter.names(adapter.columns_of_query(node['compiled_code'])) -%}
  {%- elif check_cols_config is sequence and check_cols_config is not string and check_cols_config -%}
    {%- set select = 'select ' ~ check_cols_config | join(', ') ~ ' from (\n' ~ node['compiled_code'] ~ '\n) as subq' -%}
    {%- set wanted = adapter.names(adapter.columns_of_query(select)) -%}
  {%- else -%}
    {%- do exceptions.raise_compiler_error("Invalid value for 'check_cols': " ~ check_cols_config) -%}
  {%- endif -%}
  {%- set target = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
  {%- set present = adapter.names(adapter.get_columns_in_relation(target)) -%}
  {%- set shared, added = [], [] -%}
  {%- for name in present if name in wanted -%}
    {%- do shared.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {%- for name in wanted if name not in present -%}
    {%- do added.append(name) -%}
  {%- endfor -%}
  {{ return((added | length > 0, shared)) }}
{% endmacro %}

{#- The documented columns that the relation has; the others are named in a warning. -#}
{% macro validate_doc_columns(relation, column_dict, existing_column_names) %}
  {%- set found = adapter.matched(column_dict, existing_column_names) -%}
  {%- set present = adapter.matched(found, column_dict.keys()) -%}
  {%- set missing = column_dict.keys() | reject('in', present.keys() | list) | list -%}
  {%- if missing -%}
    {%- do exceptions.warn(
      'In relation ' ~ relation.render() ~ ': The following columns are specified in the schema but are not present in '
      ~ 'the database: ' ~ missing | join(', ')) -%}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}
