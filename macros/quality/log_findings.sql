{#- dbt reports only how many rows a test found; a person needs to read which.
    The block that is called with a row gives its three parts. What was run once and found nothing
    isn't run again: the adapter knows without the server that `where false` has no rows. A table of
    stored failures keeps its columns. -#}
{% macro log_findings(test, problems) %}
    {%- if execute and flags.WHICH in ['test', 'build', 'retry'] -%}
        {%- set rows = run_query(problems).rows -%}
        {%- for row in rows[:20] -%}
            {%- do log(test ~ ': ' ~ caller(row).split() | join(' '), info=True) -%}
        {%- endfor -%}
        {%- if rows | length > 20 -%}
            {%- do log(test ~ ': and ' ~ (rows | length - 20) ~ ' more', info=True) -%}
        {%- endif -%}
        {%- if rows or should_store_failures() %}
        select * from ({{ problems }}) as problems
        {{- ' limit 0' if not rows }}
        {%- else %}
        select 1 as finding where false
        {%- endif %}
    {%- else -%}
        {{ problems }}
    {%- endif -%}
{% endmacro %}
