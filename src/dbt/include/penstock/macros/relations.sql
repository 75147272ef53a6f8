{#- List the tables and views of a schema that match a pattern, with their details. Spark calls the metastore for each
    match, so a pattern of the project's names keeps runs fast in a schema with many tables. -#}
{% macro penstock_show_tables(schema, pattern) %}
  {% call statement('show_tables', fetch_result=True) -%}
    show table extended in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_tables').table) }}
{% endmacro %}

{#- List the tables of a schema without details. This is for Iceberg's catalogs, which do not support SHOW TABLE
    EXTENDED. -#}
{% macro penstock_show_table_names(schema, pattern) %}
  {% call statement('show_table_names', fetch_result=True) -%}
    show tables in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_table_names').table) }}
{% endmacro %}

{#- DESCRIBE results are cached for the run (columns.py). -#}
{% macro penstock__get_columns_in_relation_raw(relation) %}
  {{ return(adapter.describe_extended(relation)) }}
{% endmacro %}

{#- Keep a `database` that is not the default catalog, so that the adapter can refuse to build the node. -#}
{% macro penstock__generate_database_name(custom_database_name=none, node=none) -%}
  {% do return(none if not custom_database_name or custom_database_name | lower == 'spark_catalog' else custom_database_name) %}
{%- endmacro %}
