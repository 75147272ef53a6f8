{#- The strategy `interval` replaces whole intervals (months or days). Each interval is replaced in one commit. To plan
    the commits, the adapter reads the run ledger, which is the table that records the inputs from which each interval
    was built (penstock.intervals.planner). -#}
{% macro penstock_interval_plan(existing) %}
  {%- set plan = adapter.interval_plan(model, existing, should_full_refresh()) -%}
  {%- if plan.warning -%}
    {%- do exceptions.warn(plan.warning) -%}
  {%- endif -%}
  {{ return(plan) }}
{% endmacro %}

{#- Build one commit. A table that does not exist is created without rows first, so that two runs that create the table
    at the same time do not remove each other's intervals. -#}
{% macro penstock_build_interval(existing, target, compiled_code, commit) %}
  {%- set select = commit.compiled(compiled_code) -%}
  {%- if commit.full_refresh -%}
    {%- do penstock_replace(existing, target, select) -%}
  {%- else -%}
    {%- if existing is none -%}
      {%- do penstock_create_empty(target, penstock_checked(select)) -%}
    {%- endif -%}
    {%- if commit.intervals -%}
      {%- do penstock_increment('interval', target, select, commit) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{% macro penstock_create_empty(target, checked) %}
  {%- set clauses = penstock_table_clauses(penstock_own_location(), checked.columns) -%}
  {%- do adapter.create_interval_table(target, checked.columns, clauses) -%}
{% endmacro %}

{#- Finish the run of an interval model. If the run wrote no rows, there may be no captured plan of the model's current
    code. In this case, run EXPLAIN, since plan tests need a plan. -#}
{% macro penstock_intervals_built(plan, compiled_code) %}
  {%- if model['language'] == 'sql' and not adapter.has_plan(model) -%}
    {%- do adapter.keep_plan(model, plan.example(compiled_code), false) -%}
  {%- endif -%}
  {%- do store_result('main', response=adapter.interval_response(plan.summary)) -%}
{% endmacro %}

{#- Return a dictionary that describes how one commit writes the rows of a Python model. The model runs in its own
    session, which writes the rows (see python.sql). -#}
{% macro penstock_python_interval(existing, target, commit) %}
  {%- if commit.full_refresh or not commit.intervals -%}
    {%- set write = penstock_python_replacement(existing, target) -%}
  {%- else -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
    {%- set write = {
      'mode': 'replace_where', 'target': target.render(), 'view': make_temp_relation(target).render(),
      'exists': existing is not none, 'on_schema_change': on_schema_change, 'condition': commit.condition, 'row_check': commit.row_check} -%}
  {%- endif -%}
  {%- do write.update({'commit_info': commit.metadata, 'intervals': commit.starts}) -%}
  {{ return(write) }}
{% endmacro %}

{#- Render the statement that replaces the intervals of one commit. -#}
{% macro penstock__get_incremental_interval_sql(arguments) %}
insert into {{ arguments['target_relation'] }} {{ arguments['interval_options'] }}
replace where {{ arguments['interval_condition'] }}
select {{ penstock_select_list(arguments) }}
from {{ arguments['temp_relation'] }}
{%- if arguments['interval_check'] %}
where {{ arguments['interval_check'] }}
{%- endif %}
{% endmacro %}

{% macro get_incremental_interval_sql(arguments) %}
  {{ return(adapter.dispatch('get_incremental_interval_sql', 'dbt')(arguments)) }}
{% endmacro %}
