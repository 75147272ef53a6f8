{#- Return the number of date part boundaries between two timestamps. Both timestamps are truncated to the date part
    first. Weeks begin on Sunday, as elsewhere in dbt, although Spark's weeks begin on Monday. -#}
{% macro penstock__datediff(first_date, second_date, datepart) %}
  {%- set part = datepart | lower -%}
  {%- do penstock_check_datepart(part) -%}
  {%- set shift = " + interval '1' day" if part == 'week' else '' -%}
  timestampdiff({{ part }},
    date_trunc('{{ part }}', cast({{ first_date }} as timestamp){{ shift }}),
    date_trunc('{{ part }}', cast({{ second_date }} as timestamp){{ shift }}))
{%- endmacro %}

{% macro penstock__dateadd(datepart, interval, from_date_or_timestamp) %}
  {%- set part = datepart | lower -%}
  {%- do penstock_check_datepart(part) -%}
  timestampadd({{ part }}, {{ interval }}, cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}

{% macro penstock_check_datepart(part) %}
  {%- set known = ['microsecond', 'millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] -%}
  {%- if part not in known -%}
    {%- do exceptions.raise_compiler_error(
      'needed: a date part (' ~ known | join(', ') ~ '). found: ' ~ part ~ '. do: use one of them') -%}
  {%- endif -%}
{% endmacro %}
