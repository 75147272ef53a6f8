{#- This file replaces dbt's macros that compare columns. The versions here ignore letter case and compare complete
    types. -#}
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

{#- Return a list of column names. The list's `in` operator ignores letter case. -#}
{% macro get_list_of_column_names(columns) %}
  {{ return(adapter.names(columns)) }}
{% endmacro %}

{#- Return the documented columns that the relation has. A warning names the documented columns that it does not have.
    For a column with `quote: true`, the documented name must also have the letter case of the relation's column. -#}
{% macro validate_doc_columns(relation, column_dict, existing_column_names) %}
  {%- set known = {} -%}
  {%- for name, column in column_dict.items() if not column.get('quote') or name in existing_column_names -%}
    {%- do known.update({name: column}) -%}
  {%- endfor -%}
  {%- set found = adapter.matched(known, existing_column_names) -%}
  {%- set present = adapter.matched(found, column_dict.keys()) -%}
  {%- set missing = column_dict.keys() | reject('in', present.keys() | list) | list -%}
  {%- if missing -%}
    {%- do exceptions.warn(
      'In relation ' ~ relation.render() ~ ': The following columns are specified in the schema but are not present in '
      ~ 'the database: ' ~ missing | join(', ')) -%}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}
