{#- Returns months in which the share of a rule differs from earlier months.
    docs/explanation/quality-changes.md has the formula. -#}
{% test share_is_steady(
    model, months=6, least_months=3, deviations=5, least_change=0.01, since=none
) %}
    {%- set problems -%}
        with report as (
            select * from {{ model }}
        ),

        trailing as (
            select
                *,
                collect_list(share) over earlier as earlier_shares,
                collect_list(checked_rows) over earlier as earlier_rows
            from report
            window earlier as (
                partition by service_type, rule
                order by month
                rows between {{ months }} preceding and 1 preceding
            )
        ),

        medians as (
            select
                *,
                {{ median_of('earlier_shares') }} as usual,
                least(checked_rows, {{ median_of('earlier_rows') }}) as fewest_rows
            from trailing
            where
                size(earlier_shares) >= {{ least_months }}
                {%- if since %}
                and month >= date'{{ since }}'
                {%- endif %}
        ),

        distances as (
            select
                *,
                transform(earlier_shares, earlier_share -> abs(earlier_share - usual)) as distances,
                (fewest_rows * usual + 2) / (fewest_rows + 4) as smoothed
            from medians
        ),

        judged as (
            select
                *,
                greatest(
                    1.4826 * {{ median_of('distances') }},
                    sqrt(smoothed * (1 - smoothed) / fewest_rows)
                ) as deviation
            from distances
        )

        select
            service_type,
            month,
            rule,
            rows,
            checked_rows,
            share,
            usual,
            greatest({{ deviations }} * deviation, {{ least_change }}) as allowed,
            size(earlier_shares) as earlier_months
        from judged
        where abs(share - usual) > greatest({{ deviations }} * deviation, {{ least_change }})
        order by service_type, month, rule
    {%- endset -%}

    {% call(row) log_findings('share_is_steady', problems) -%}
        {%- set place = row['service_type'] ~ ' rows of ' ~ row['month'] -%}
        needed: {{ row['rule'] }} in {{ percent(row['usual']) }} of the {{ place }}, plus or minus
        {{ percent(row['allowed']) }}, as in the {{ row['earlier_months'] }} previous months.
        found: {{ percent(row['share']) }} ({{ row['rows'] }} of {{ row['checked_rows'] }}).
        do: {{ where_to_look(row['service_type'], row['month'], row['rule']) }}; land a corrected file,
        or, if the change is real, exclude the month with `since`
    {%- endcall %}
{% endtest %}
