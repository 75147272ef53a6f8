{#- A seed is one statement that creates or replaces its table: atomic, and the old rows stay until
    the new ones are there. Above this many rows dbt-spark's own batches of INSERT are used. -#}
{% macro penstock__seed_in_one_statement(agate_table) %}
  {{ return(config.get('file_format', 'delta') == 'delta' and agate_table.rows | length <= 5000) }}
{% endmacro %}

{% macro penstock__create_csv_table(model, agate_table) %}
  {% if not penstock__seed_in_one_statement(agate_table) %}
    {{ return(spark__create_csv_table(model, agate_table)) }}
  {% endif %}
  {{ return('') }}
{% endmacro %}

{% macro penstock__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {% if not penstock__seed_in_one_statement(agate_table) or not old_relation.is_delta %}
    {{ return(spark__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
  {% endif %}
  {{ return('') }}
{% endmacro %}

{% macro penstock__load_csv_rows(model, agate_table) %}
  {% if not penstock__seed_in_one_statement(agate_table) %}
    {{ return(spark__load_csv_rows(model, agate_table)) }}
  {% endif %}
  {%- set types = model['config'].get('column_types', {}) -%}
  {%- set quoted = model['config'].get('quote_columns', none) -%}
  {% set sql -%}
    create or replace table {{ this.render() }}
    {{ file_format_clause() }}
    {{ tblproperties_clause() }}
    {{ partition_cols(label='partitioned by') }}
    {{ location_clause() }}
    {{ comment_clause() }}
    as select
    {% for name in agate_table.column_names -%}
      cast(col{{ loop.index }} as {{ types.get(name, adapter.convert_type(agate_table, loop.index0)) }}) as
      {{ adapter.quote_seed_column(name | string, quoted) }}{{ ',' if not loop.last }}
    {% endfor -%}
    {% if agate_table.rows | length -%}
    from values
    {% for row in agate_table.rows -%}
      ({% for value in row -%}
        {{ penstock__seed_literal(value) }}{{ ', ' if not loop.last }}
      {%- endfor %}){{ ',' if not loop.last }}
    {% endfor -%}
    {% else -%}
    from (select {% for name in agate_table.column_names %}null as col{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}) where false
    {%- endif %}
  {%- endset %}
  {% do adapter.add_query(sql, abridge_sql_log=True) %}
  {{ return(sql) }}
{% endmacro %}

{#- A value of a seed as a string literal: cast to its column's type by the statement. -#}
{% macro penstock__seed_literal(value) %}
  {%- if value is none -%}
    {{ return('null') }}
  {%- endif -%}
  {{ return("'" ~ (value | string).replace('\\', '\\\\').replace("'", "\\'") ~ "'") }}
{% endmacro %}
