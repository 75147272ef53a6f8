{#- NULL where a value can't be cast: in ANSI mode a plain cast would fail the query. A literal of an
    array, map or struct can't be cast from text: its quotes are taken off, as dbt-spark does. -#}
{% macro penstock__safe_cast(field, type) %}
  {%- set nested = type | lower | trim -%}
  {%- set is_nested = nested.startswith('struct') or nested.startswith('array') or nested.startswith('map') -%}
  try_cast({{ field.strip('"').strip("'") if is_nested and field is string else field }} as {{ type }})
{%- endmacro %}

{% macro penstock__split_part(string_text, delimiter_text, part_number) %}
  {#- Part 0 is the first one, as in dbt-spark; Spark's function has none. -#}
  split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number or 1 }})
{%- endmacro %}

{#- Ordered and limited: the parts are joined by a control character first, then cut. -#}
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
