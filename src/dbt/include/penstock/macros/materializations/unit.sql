{#- A unit test runs one query. dbt's materialization creates a temporary view, describes the view, runs the query and
    drops the view. This materialization describes the query instead. One description serves all unit tests that differ
    only in their values. -#}
{% materialization unit, adapter='penstock' %}
  {%- if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS -%}
    {%- do penstock_run_sql_header() -%}
  {%- endif -%}
  {%- set expected_rows, expected_sql = config.get('expected_rows'), config.get('expected_sql') -%}
  {%- set key = adapter.test_key(model, sql, [expected_rows, expected_sql]) if penstock_reuses_tests() else '' -%}
  {%- if adapter.test_has_passed(model, key) -%}
    {%- set response, table = adapter.no_differences() -%}
    {%- do store_result('main', response=response, agate_table=table) -%}
    {{ return({'relations': []}) }}
  {%- endif -%}
  {%- set columns, types, quoted = adapter.unit_test_columns(sql), {}, {} -%}
  {%- for column in columns -%}
    {%- do types.update({column.name | lower: column.stored_type}) -%}
    {%- do quoted.update({column.name | lower: column.quoted}) -%}
  {%- endfor -%}
  {%- set tested = [] -%}
  {%- for name in (expected_rows[0].keys() if expected_rows else columns | map(attribute='name')) -%}
    {%- do tested.append(quoted[name | lower]) -%}
  {%- endfor -%}
  {%- set expected = expected_sql or get_expected_sql(expected_rows, types, quoted) -%}
  {%- call statement('main', fetch_result=True) -%}
    {{ get_unit_test_sql(sql, expected, tested) }}
  {%- endcall -%}
  {%- do adapter.test_ran(model, key, load_result('main').table) -%}
  {{ return({'relations': []}) }}
{% endmaterialization %}

{#- Replaces dbt's macro. This version converts each value according to the type of its column (unit_test_values.py). So
    strings stay unchanged, and nested values are supported. -#}
{% macro format_row(row, column_name_to_data_types) %}
  {%- set formatted = {} -%}
  {%- for given, value in row.items() -%}
    {%- set name = given | lower -%}
    {%- if name not in column_name_to_data_types -%}
      {%- set fixture = 'expected output' if model.resource_type == 'unit_test' else "'" ~ model.name ~ "'" -%}
      {%- do exceptions.raise_compiler_error(
        "Invalid column name: '" ~ name ~ "' in unit test fixture for " ~ fixture ~ '.\nAccepted columns for '
        ~ fixture ~ ' are: ' ~ column_name_to_data_types.keys() | list) -%}
    {%- endif -%}
    {%- do formatted.update({name: adapter.fixture_value(value, column_name_to_data_types[name], given)}) -%}
  {%- endfor -%}
  {{ return(formatted) }}
{% endmacro %}
