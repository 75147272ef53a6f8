{#- What Spark knows of the named tables and views of a schema. Spark asks the metastore for each one it
    lists, so naming the project's own keeps a run in a crowded schema as quick as in an empty one. -#}
{% macro penstock_show_tables(schema, pattern) %}
  {% call statement('show_tables', fetch_result=True) -%}
    show table extended in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_tables').table) }}
{% endmacro %}

{#- The same by name alone: catalogs of Iceberg refuse the one above. -#}
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

{#- A `database` that isn't the default catalog stays with the node, so that building the node can be refused. -#}
{% macro penstock__generate_database_name(custom_database_name=none, node=none) -%}
  {% do return(none if not custom_database_name or custom_database_name | lower == 'spark_catalog' else custom_database_name) %}
{%- endmacro %}
