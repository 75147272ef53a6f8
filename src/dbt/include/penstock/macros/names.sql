{#- Render the columns of a contract. This version quotes all columns, while dbt's macro quotes only columns with
    `quote: true`. -#}
{% macro penstock__get_column_names() %}
  {%- for column in model['columns'].values() -%}
    {{ adapter.quote(column['name']) }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{% macro penstock__get_empty_schema_sql(columns) %}
  {%- set quoted = {} -%}
  {%- for key, column in columns.items() -%}
    {%- do quoted.update({key: dict(column, quote=true)}) -%}
  {%- endfor -%}
  {{ return(default__get_empty_schema_sql(quoted)) }}
{% endmacro %}
