{#- dbt only reports the number of failing rows, so this macro logs the rows. The calling block renders a row's
    three-part message. If no row fails, the test doesn't run its query again. It becomes a query with `where false`,
    which the adapter answers without the server and which keeps the columns for stored failures. -#}
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
