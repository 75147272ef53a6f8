{#- Return an enforced contract's constraints as checks: [{name, expression}].

    CREATE OR REPLACE TABLE sets the checks as Delta table properties, so one commit has both rows and constraints.
    NOT NULL becomes a check too, because Delta cannot add NOT NULL to an existing column and CREATE TABLE AS cannot
    declare NOT NULL. -#}
{% macro penstock_constraints() %}
  {%- set checks = [] -%}
  {%- if config.get('contract', {}).enforced -%}
    {%- for item in model['constraints'] or [] if item.type == 'check' -%}
      {%- do checks.append(penstock_check(item, '')) -%}
    {%- endfor -%}
    {%- for column in model['columns'].values() -%}
      {%- set name = adapter.quote(column['name']) -%}
      {#- A query cannot return VARCHAR in Spark, so the table's column is a string and a check limits its length. -#}
      {%- set length = modules.re.fullmatch('(?i)\\s*(?:var)?char(?:acter)?\\s*\\(\\s*(\\d+)\\s*\\)\\s*', column['data_type'] or '') -%}
      {%- if length -%}
        {%- do checks.append({
          'name': penstock_constraint_name(column['name'] ~ '_length'),
          'expression': name ~ ' is null or length(' ~ name ~ ') <= ' ~ length.group(1)}) -%}
      {%- endif -%}
      {%- for item in column['constraints'] or [] -%}
        {%- if item.type == 'not_null' -%}
          {%- do checks.append({
            'name': penstock_constraint_name(item.name or column['name'] ~ '_not_null'),
            'expression': name ~ ' is not null'}) -%}
        {%- elif item.type == 'check' -%}
          {%- do checks.append(penstock_check(item, column['name'] ~ '_')) -%}
        {%- endif -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(checks) }}
{% endmacro %}

{% macro penstock_check(item, prefix) %}
  {{ return({
    'name': penstock_constraint_name(item.name or prefix ~ 'check_' ~ local_md5(item.expression)[:12]),
    'expression': item.expression | trim}) }}
{% endmacro %}

{#- Return a constraint name of letters, digits and underscores. It is in lower case, since Delta looks constraints up
    by their lower-case names. -#}
{% macro penstock_constraint_name(text) %}
  {{ return(modules.re.sub('[^a-z0-9_]', '_', text | lower)) }}
{% endmacro %}

{#- Check a model's query against the model's contract, and return {sql, columns} of a query whose rows a table can
    store (query_checks.py). -#}
{% macro penstock_checked(select) %}
  {%- if config.get('contract', {}).enforced -%}
    {%- do penstock_check_declaration() -%}
  {%- endif -%}
  {%- set checked = adapter.checked_query(select, model) -%}
  {{ return({'sql': penstock_ordered(checked.sql), 'columns': checked.columns}) }}
{% endmacro %}

{#- Check a query against the model's contract before the query's rows are added to an existing table. Return the query
    with its columns in the contract's order. A column of NULL literals needs no cast, because it gets the type of the
    table's column. -#}
{% macro penstock_contracted(select) %}
  {%- do get_assert_columns_equivalent(select) if config.get('contract', {}).enforced -%}
  {{ return(penstock_ordered(select)) }}
{% endmacro %}

{#- Return a query with the columns in the contract's order. If the table format does not support constraints, add a
    filter that fails on the first row that violates a constraint. -#}
{% macro penstock_ordered(select) %}
  {%- if not config.get('contract', {}).enforced -%}
    {{ return(select) }}
  {%- endif -%}
  {#- Rendering the constraints makes dbt warn about constraints that Spark cannot enforce. -#}
  {%- do adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
  {%- do adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
  {%- set ordered = get_select_subquery(select) -%}
  {%- if penstock_format().constraints -%}
    {{ return(ordered) }}
  {%- endif -%}
  {{ return(penstock_filtered_by_checks(ordered)) }}
{% endmacro %}

{#- Raise dbt's errors and warnings about the declaration of a contract. -#}
{% macro penstock_check_declaration() %}
  {%- if not model['columns'] -%}
    {{ exceptions.raise_contract_error([], []) }}
  {%- endif -%}
  {%- do get_empty_schema_sql(model['columns']) -%}
{% endmacro %}

{% macro penstock__get_assert_columns_equivalent(sql) %}
  {%- do penstock_check_declaration() -%}
  {%- do adapter.check_contract(sql, model) -%}
{% endmacro %}

{% macro penstock_filtered_by_checks(select) %}
  {%- set checks = penstock_constraints() -%}
  {%- if not checks -%}
    {{ return(select) }}
  {%- endif -%}
  {%- set sql -%}
  select * from ({{ select }}) as DBT_INTERNAL_CHECKED
  where
    {%- for item in checks %}
    {{ 'and ' if not loop.first }}case
      when {{ item.expression }} then true
      else cast(raise_error({{ penstock_literal('CHECK constraint ' ~ item.name ~ ' (' ~ item.expression ~ ') violated') }}) as boolean)
    end
    {%- endfor %}
  {%- endset -%}
  {{ return(sql) }}
{% endmacro %}

{#- Nothing to do: the table was created with its constraints. -#}
{% macro penstock__persist_constraints(relation, model) %}
{% endmacro %}
