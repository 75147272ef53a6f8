{#- List the tables and views of a schema that match a pattern, with their details. Spark calls the metastore for each
    match. A pattern that matches only the project's names keeps runs fast, even in a schema with many other tables. -#}
{% macro penstock_show_tables(schema, pattern) %}
  {% call statement('show_tables', fetch_result=True) -%}
    show table extended in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_tables').table) }}
{% endmacro %}

{#- List the tables of a schema without details. This macro is for Iceberg's catalogs, which do not support SHOW TABLE
    EXTENDED. -#}
{% macro penstock_show_table_names(schema, pattern) %}
  {% call statement('show_table_names', fetch_result=True) -%}
    show tables in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_table_names').table) }}
{% endmacro %}

{#- Return the rows of DESCRIBE TABLE EXTENDED, which the adapter caches for the run (columns.py). -#}
{% macro penstock__get_columns_in_relation_raw(relation) %}
  {{ return(adapter.describe_extended(relation)) }}
{% endmacro %}

{#- List the schemas of a catalog. Without a database, list the schemas of the default catalog. -#}
{% macro penstock__list_schemas(database) -%}
  {% call statement('list_schemas', fetch_result=True, auto_begin=False) %}
    show databases{{ ' in ' ~ database if database }}
  {% endcall %}
  {{ return(load_result('list_schemas').table) }}
{% endmacro %}

{#- List the views of a schema that match a pattern. In catalogs other than `spark_catalog`, Spark lists views
    separately. -#}
{% macro penstock_show_views(schema, pattern) %}
  {% call statement('show_views', fetch_result=True) -%}
    show views in {{ schema }} like '{{ pattern }}'
  {%- endcall %}
  {{ return(load_result('show_views').table) }}
{% endmacro %}

{#- Return a node's `database`. For `spark_catalog`, the result is none, unless another catalog is the target's default.
    -#}
{% macro penstock__generate_database_name(custom_database_name=none, node=none) -%}
  {%- set name = (custom_database_name or target.database) | trim -%}
  {% do return(none if (name | lower, target.database | lower) == ('spark_catalog', 'spark_catalog') else name) %}
{%- endmacro %}

{% macro penstock__rename_relation(from_relation, to_relation) -%}
  {%- if not from_relation.type -%}
    {%- do exceptions.raise_database_error('Cannot rename a relation with a blank type: ' ~ from_relation.identifier) -%}
  {%- endif -%}
  {#- After `rename to`, the name of a table has no catalog, while the name of a view has one. -#}
  {% call statement('rename_relation') -%}
    {%- if from_relation.is_view %}
    alter view {{ from_relation }} rename to {{ to_relation }}
    {%- else %}
    alter table {{ from_relation }} rename to {{ adapter.name_in_catalog(to_relation) }}
    {%- endif %}
  {%- endcall %}
{%- endmacro %}

{#- Without PURGE, an Iceberg catalog keeps the files of a dropped table, and no maintenance finds them again. -#}
{% macro penstock__drop_relation(relation) -%}
  {% call statement('drop_relation', auto_begin=False) -%}
    drop {{ relation.type }} if exists {{ relation }}{{ ' purge' if relation.is_table and relation.is_iceberg }}
  {%- endcall %}
{% endmacro %}

{#- `spark_catalog` drops a schema together with its tables and views. Even with CASCADE, Iceberg's catalogs refuse to
    drop a schema with tables or views, so drop these first. -#}
{% macro penstock__drop_schema(relation) -%}
  {%- for item in adapter.relations_to_drop(relation) -%}
    {%- do adapter.drop_relation(item) -%}
  {%- endfor -%}
  {% call statement('drop_schema') -%}
    drop schema if exists {{ relation.without_identifier() }} cascade
  {%- endcall %}
{% endmacro %}
