{#- Returns rows of the report whose share exceeds the limit in macros/quality/quality_rules.sql.
    The level `warn_above` leaves out rows that exceed both limits; `error_above` returns them. -#}
{% test shares_allowed(model, level) %}
    {%- set problems -%}
        with report as (
            select * from {{ model }}
        ),

        limits as (
            select * from {{ rule_limits() }}
        )

        select
            report.service_type,
            report.month,
            report.rule,
            report.rows,
            report.checked_rows,
            report.share,
            limits.{{ level }} as allowed
        from report
        inner join limits
            on report.service_type = limits.service_type and report.rule = limits.rule
        where
            report.share > limits.{{ level }}
            {%- if level == 'warn_above' %}
            and not coalesce(report.share > limits.error_above, false)
            {%- endif %}
        order by report.service_type, report.month, report.rule
    {%- endset -%}

    {% call(row) log_findings('shares_allowed', problems) -%}
        {%- set place = row['service_type'] ~ ' rows of ' ~ row['month'] -%}
        needed: {{ row['rule'] }} in at most {{ percent(row['allowed']) }} of the {{ place }} ({{ level }}).
        found: {{ percent(row['share']) }} ({{ row['rows'] }} of {{ row['checked_rows'] }}).
        do: {{ where_to_look(row['service_type'], row['month'], row['rule']) }}; then land a corrected file,
        or change the rule or its limit in macros/quality/quality_rules.sql
    {%- endcall %}
{% endtest %}
