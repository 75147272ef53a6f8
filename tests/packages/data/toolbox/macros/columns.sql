{% macro all_columns(relation, leave_out=[]) %}
  {%- set names = [] -%}
  {%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower not in leave_out -%}
      {%- do names.append(adapter.quote(column.name)) -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(names | join(', ') or '*') }}
{% endmacro %}

{% macro stacked(relations) %}
  {%- for relation in relations %}
    select cast({{ dbt.string_literal(relation.identifier) }} as {{ dbt.type_string() }}) as origin,
      {{ toolbox.all_columns(relation) }} from {{ relation }}
    {% if not loop.last %}union all{% endif %}
  {% endfor -%}
{% endmacro %}

{% macro distinct_values(relation, column) %}
  {%- if not execute -%}{{ return([]) }}{%- endif -%}
  {%- set rows = run_query('select distinct ' ~ column ~ ' as v from ' ~ relation ~ ' order by 1') -%}
  {{ return(rows.columns[0].values() | list) }}
{% endmacro %}

{% macro pivoted(column, values) %}
  {%- for value in values %}
    sum(case when {{ column }} = '{{ value }}' then 1 else 0 end) as {{ adapter.quote(value) }}{{ ',' if not loop.last }}
  {%- endfor -%}
{% endmacro %}

{% macro row_key(fields) %}
  {%- set parts = [] -%}
  {%- for field in fields -%}
    {%- do parts.append("coalesce(cast(" ~ field ~ " as " ~ dbt.type_string() ~ "), '_null_')") -%}
    {%- if not loop.last -%}{%- do parts.append("'-'") -%}{%- endif -%}
  {%- endfor -%}
  {{ dbt.hash(dbt.concat(parts)) }}
{% endmacro %}

{% macro day_rows(first, days) %}
  with digits as (select 0 as d union all select 1 union all select 2 union all select 3),
  numbers as (select row_number() over (order by a.d, b.d) - 1 as n from digits as a cross join digits as b)
  select cast({{ dbt.dateadd('day', 'n', "cast('" ~ first ~ "' as date)") }} as date) as day from numbers where n < {{ days }}
{% endmacro %}

{% macro long_rows(relation, key) %}
  {%- set wide = adapter.get_columns_in_relation(relation) if execute else [] -%}
  {%- for column in wide if column.name | lower != key %}
    {%- if not loop.first %} union all {% endif %}
    select {{ key }}, '{{ column.name | lower }}' as field, cast({{ adapter.quote(column.name) }} as
      {{ dbt.type_string() }}) as value from {{ relation }}
  {%- endfor -%}
{% endmacro %}
