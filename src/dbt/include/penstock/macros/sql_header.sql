{#- Run a model's `sql_header` before the model, one statement at a time, as Thrift requires. -#}
{% macro penstock_run_sql_header() %}
  {%- for sql in modules.re.split(';\\s*(?:\\n|$)', config.get('sql_header') or '') if sql | trim -%}
    {%- call statement('sql_header') -%}
      {{ sql | trim }}
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{#- Return dbt's empty subquery without the header, since the header has already run. -#}
{% macro penstock__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
  {{ return(default__get_empty_subquery_sql(select_sql)) }}
{% endmacro %}
