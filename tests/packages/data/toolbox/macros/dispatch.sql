{% macro engine() %}{{ return(adapter.dispatch('engine', 'toolbox')()) }}{% endmacro %}
{% macro default__engine() %}{{ return('default') }}{% endmacro %}
{% macro spark__engine() %}{{ return('spark') }}{% endmacro %}

{% macro own_engine() %}{{ return(adapter.dispatch('own_engine', 'toolbox')()) }}{% endmacro %}
{% macro default__own_engine() %}{{ return('default') }}{% endmacro %}
{% macro spark__own_engine() %}{{ return('spark') }}{% endmacro %}
{% macro penstock__own_engine() %}{{ return('penstock') }}{% endmacro %}

{% macro any_engine() %}{{ return(adapter.dispatch('any_engine', 'toolbox')()) }}{% endmacro %}
{% macro default__any_engine() %}{{ return('default') }}{% endmacro %}

{% macro tables_like(schema, pattern) %}
  {%- set found = [] -%}
  {%- if execute -%}
    {%- if target.type in ('spark', 'databricks') -%}
      {%- set rows = run_query("show tables in " ~ schema ~ " like '" ~ pattern ~ "'") -%}
      {%- for row in rows -%}{%- do found.append(row['tableName']) -%}{%- endfor -%}
    {%- else -%}
      {%- set rows = run_query("select table_name from " ~ target.database ~ ".information_schema.tables") -%}
      {%- for row in rows -%}{%- do found.append(row[0]) -%}{%- endfor -%}
    {%- endif -%}
  {%- endif -%}
  {{ return(found | sort) }}
{% endmacro %}
