{#- An enforced contract's constraints as checks: [{name, expression}].

    Delta takes them as properties of the one CREATE OR REPLACE, so that its commit holds rows and
    constraints or neither. NOT NULL is such a check too: Delta refuses to add it to a column that
    exists, and CREATE TABLE AS can't declare it. -#}
{% macro penstock_constraints() %}
  {%- set checks = [] -%}
  {%- if config.get('contract', {}).enforced -%}
    {%- for item in model['constraints'] or [] if item.type == 'check' -%}
      {%- do checks.append(penstock_check(item, '')) -%}
    {%- endfor -%}
    {%- for column in model['columns'].values() -%}
      {%- set name = adapter.quote(column['name']) -%}
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

{#- Letters, digits and underscores in lower case: Delta looks a constraint up by that. -#}
{% macro penstock_constraint_name(text) %}
  {{ return(modules.re.sub('[^a-z0-9_]', '_', text | lower)) }}
{% endmacro %}

{#- A model's select with its contract kept: the columns compared and put in the contract's order, and,
    where the table format can't check rows itself, a filter that fails on the first wrong one. -#}
{% macro penstock_contracted(select) %}
  {%- if not config.get('contract', {}).enforced -%}
    {{ return(select) }}
  {%- endif -%}
  {%- do get_assert_columns_equivalent(select) -%}
  {#- Rendered for dbt's warnings on constraints that Spark can't enforce. -#}
  {%- do adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
  {%- do adapter.render_raw_model_constraints(raw_constraints=model['constraints']) -%}
  {%- set ordered = get_select_subquery(select) -%}
  {%- if penstock_format().constraints -%}
    {{ return(ordered) }}
  {%- endif -%}
  {{ return(penstock_filtered_by_checks(ordered)) }}
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

{#- The constraints came with the table. -#}
{% macro penstock__persist_constraints(relation, model) %}
{% endmacro %}
