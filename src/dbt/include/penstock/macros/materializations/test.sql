{#- dbt's data test, except that two kinds of tests send no statement. The first kind are tests whose query certainly
    returns no rows. For example, the adapter itself runs the plan tests, and renders such a query for a plan test that
    passes. The second kind are tests that passed before on the same data. `dbt build` skips these tests if the variable
    reuse_passed_tests is set. -#}
{% materialization test, adapter='penstock' %}
  {%- set usual = config.get('fail_calc') == 'count(*)' and config.get('warn_if') == '!= 0' and config.get('error_if') == '!= 0' -%}
  {%- set key = adapter.test_key(model, sql) if usual and penstock_reuses_tests() and not should_store_failures() else '' -%}
  {%- set known = usual and adapter.finds_nothing(sql) and not should_store_failures() -%}
  {%- if known or adapter.test_has_passed(model, key) -%}
    {%- set response, table = adapter.no_failures() -%}
    {%- do store_result('main', response=response, agate_table=table) -%}
    {{ return({'relations': []}) }}
  {%- endif -%}
  {%- set relations = materialization_test_default() -%}
  {%- do adapter.test_ran(model, key, load_result('main').table) -%}
  {{ return(relations) }}
{% endmaterialization %}

{% macro penstock_reuses_tests() %}
  {{ return(flags.WHICH == 'build' and var('reuse_passed_tests', false)) }}
{% endmacro %}

{#- Give the columns of a test's stored failures distinct names, since their table cannot have two columns with the same
    name. -#}
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

{#- Remove the semicolons at the end of a query (statement_text.py), and add a limit. -#}
{% macro penstock__get_limit_sql(sql, limit) %}
  {{ return(default__get_limit_sql(adapter.without_last_semicolons(sql), limit)) }}
{% endmacro %}
