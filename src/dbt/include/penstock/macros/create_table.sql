{#- This file builds the clauses of CREATE TABLE for the node's table format (capabilities.py). -#}
{% macro penstock_format() %}
  {{ return(adapter.table_format(config.get('file_format'), model.database)) }}
{% endmacro %}

{% macro penstock__file_format_clause() %}
  using {{ penstock_format().name }}
{%- endmacro %}

{#- Return the names in a configuration as a list. The configuration is one name or a list of names. -#}
{% macro penstock_names(setting) %}
  {%- set value = config.get(setting) or [] -%}
  {{ return([value] if value is string else value | list) }}
{% endmacro %}

{% macro penstock__tblproperties_clause() %}
  {{ return(penstock_tblproperties([])) }}
{% endmacro %}

{#- Render the table properties of a node, including the properties that the types of the table's columns need. -#}
{% macro penstock_tblproperties(columns) %}
  {%- set properties = {} -%}
  {%- if config.get('sorted_within') -%}
    {%- do properties.update(adapter.layout_of(model).properties()) -%}
  {%- endif -%}
  {%- do properties.update(config.get('tblproperties') or {}) -%}
  {%- do properties.update(adapter.interval_properties(model)) -%}
  {%- do properties.update(adapter.seed_properties(model, flags.EMPTY)) -%}
  {%- if columns and penstock_format().features -%}
    {%- do properties.update(adapter.needed_properties(columns, properties)) -%}
  {%- endif -%}
  {%- if penstock_format().constraints -%}
    {%- for item in penstock_constraints() -%}
      {%- do properties.update({'delta.constraints.' ~ item.name: item.expression}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- if properties %}
  tblproperties (
    {%- for name, value in properties.items() %}
    {{ penstock_literal(name) }} = {{ penstock_literal(value) }}{{ ',' if not loop.last }}
    {%- endfor %}
  )
  {%- endif -%}
{% endmacro %}

{#- `clustered_by` means clustering if the format has it, and buckets otherwise. A partitioned table cannot have
    clustering. For such a table, `clustered_by` means Z-order within the partitions, which the maintenance macros
    apply. -#}
{% macro penstock__clustered_cols(label, required=false) %}
  {%- set columns = penstock_names('clustered_by') -%}
  {%- if columns and penstock_format().clusters -%}
    {%- if not config.get('partition_by') %}
  cluster by ({{ penstock_listed(columns) }})
    {%- endif -%}
  {%- elif columns and config.get('buckets') %}
  {{ label }} ({{ penstock_listed(columns) }}) into {{ config.get('buckets') }} buckets
  {%- endif -%}
{% endmacro %}

{% macro penstock__partition_cols(label, required=false) %}
  {%- set columns = penstock_names('partition_by') -%}
  {%- if columns %}
  {{ label }} ({{ penstock_listed(columns) }})
  {%- endif -%}
{% endmacro %}

{#- Return the columns in a configuration as SQL, separated by commas. -#}
{% macro penstock_listed(columns) %}
  {%- for name in columns -%}
    {{ adapter.column_name(name) }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{% macro penstock__location_clause() %}
  {{ return(penstock_at(penstock_own_location())) }}
{% endmacro %}

{% macro penstock_at(location) %}
  {%- if location %}
  location {{ penstock_literal(location) }}
  {%- endif -%}
{% endmacro %}

{#- Return a node's folder below `location_root`, or none for a managed table. -#}
{% macro penstock_own_location() %}
  {%- set root = config.get('location_root') -%}
  {{ return((root | string).rstrip('/') ~ '/' ~ model['alias'] if root else none) }}
{% endmacro %}

{% macro penstock__comment_clause() %}
  {%- if config.persist_relation_docs() and model.description %}
  comment {{ penstock_literal(model.description) }}
  {%- endif -%}
{% endmacro %}

{#- Return text as a SQL literal. -#}
{% macro penstock_literal(text) %}
  {{ return(adapter.literal(text)) }}
{% endmacro %}

{#- Render the clauses of CREATE TABLE between the table's name and the query. `columns` are the columns of the query.
    -#}
{% macro penstock_table_clauses(location, columns=[]) %}
  {%- set clauses = [
    file_format_clause(), options_clause(), penstock_tblproperties(columns), partition_cols(label='partitioned by'),
    clustered_cols(label='clustered by'), penstock_at(location), comment_clause()] -%}
  {{ clauses | map('trim') | select | join('\n  ') }}
{%- endmacro %}

{#- Return a query that returns the same rows, but repartitioned for `target_file_size_mb` and sorted for
    `sorted_within` (layout.py). If neither is configured, return the query unchanged. -#}
{% macro penstock_arranged(select) %}
  {%- if config.get('target_file_size_mb') is none and not config.get('sorted_within') -%}
    {{ return(select) }}
  {%- endif -%}
  {{ return(adapter.arranged(select, model)) }}
{% endmacro %}

{% macro penstock_create_table_as(relation, select, location, columns=[]) %}
create {{ 'or replace ' if penstock_format().atomic }}table {{ relation }}
  {{ penstock_table_clauses(location, columns) }}
  as
  {{ penstock_arranged(select) }}
{%- endmacro %}

{% macro penstock__create_table_as(temporary, relation, compiled_code, language='sql') -%}
  {%- if language == 'python' -%}
    {{ py_write_table(compiled_code=compiled_code, target_relation=relation) }}
  {%- elif temporary -%}
    {{ create_temporary_view(relation, compiled_code) }}
  {%- else -%}
    {%- set checked = penstock_checked(compiled_code) -%}
    {{ penstock_create_table_as(relation, checked.sql, penstock_own_location(), checked.columns) }}
  {%- endif -%}
{%- endmacro %}
