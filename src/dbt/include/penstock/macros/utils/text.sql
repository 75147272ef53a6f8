{#- Return NULL for a value that cannot be cast. A plain cast would fail in ANSI mode. Text cannot be cast to an array,
    map or struct. So if the value is a literal of one of these types in quotes, the quotes are removed, as in
    dbt-spark. -#}
{% macro penstock__safe_cast(field, type) %}
  {%- set nested = type | lower | trim -%}
  {%- set is_nested = nested.startswith('struct') or nested.startswith('array') or nested.startswith('map') -%}
  try_cast({{ field.strip('"').strip("'") if is_nested and field is string else field }} as {{ type }})
{%- endmacro %}

{% macro penstock__split_part(string_text, delimiter_text, part_number) %}
  {#- As in dbt-spark, part 0 means the first part. Spark's function does not accept 0. -#}
  split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number or 1 }})
{%- endmacro %}

{#- If both an order and a limit are given, first join all values with a control character, then split the text and keep
    the first values. -#}
{% macro penstock__listagg(measure, delimiter_text, order_by_clause, limit_num) %}
  {%- if not order_by_clause -%}
    {{ return(spark__listagg(measure, delimiter_text, none, limit_num)) }}
  {%- endif -%}
  {%- if not limit_num -%}
    {{ return('listagg(' ~ measure ~ ', ' ~ delimiter_text ~ ') within group (' ~ order_by_clause ~ ')') }}
  {%- endif -%}
  {%- set whole = 'listagg(' ~ measure ~ ', char(31)) within group (' ~ order_by_clause ~ ')' -%}
  {{ return('array_join(slice(split(' ~ whole ~ ', char(31)), 1, ' ~ limit_num ~ '), ' ~ delimiter_text ~ ')') }}
{% endmacro %}
