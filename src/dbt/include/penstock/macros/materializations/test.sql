{#- A data test as dbt runs it, but for one whose query surely finds nothing: a test of a captured plan passes
    without a statement. -#}
{% materialization test, adapter='penstock' %}
  {%- set usual = config.get('fail_calc') == 'count(*)' and config.get('warn_if') == '!= 0' and config.get('error_if') == '!= 0' -%}
  {%- if usual and adapter.finds_nothing(sql) and not should_store_failures() -%}
    {%- set response, table = adapter.no_failures() -%}
    {%- do store_result('main', response=response, agate_table=table) -%}
    {{ return({'relations': []}) }}
  {%- endif -%}
  {{ return(materialization_test_default()) }}
{% endmaterialization %}

{#- The rows of a failed test as a table or view holds them: its columns may share a name in a query. -#}
{% macro penstock__get_create_sql(relation, sql) %}
  {{ return(default__get_create_sql(relation, penstock_failures(sql) if model.resource_type == 'test' else sql)) }}
{% endmacro %}

{% macro penstock_failures(sql) %}
  {%- set names = adapter.distinct_names(adapter.columns_of_query(sql)) -%}
  {%- if not names -%}
    {{ return(sql) }}
  {%- endif -%}
  {{ return('select * from (\n' ~ sql ~ '\n) as DBT_INTERNAL_FAILURES(' ~ names | join(', ') ~ ')') }}
{% endmacro %}

{#- A last semicolon before the limit is left out; elsewhere it ends a statement or parentheses (statements.py). -#}
{% macro penstock__get_limit_sql(sql, limit) %}
  {{ return(default__get_limit_sql(adapter.without_last_semicolons(sql), limit)) }}
{% endmacro %}
