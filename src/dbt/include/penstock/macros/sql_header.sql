{#- A model's `sql_header` in its session, before the model: Thrift takes one statement at a time. -#}
{% macro penstock_run_sql_header() %}
  {%- for sql in modules.re.split(';\\s*(?:\\n|$)', config.get('sql_header') or '') if sql | trim -%}
    {%- call statement('sql_header') -%}
      {{ sql | trim }}
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{#- The header has run by then. -#}
{% macro penstock__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
  {{ return(default__get_empty_subquery_sql(select_sql)) }}
{% endmacro %}
