{#- Returns the test month and later months whose features or errors drifted beyond the limits. -#}
{% test drift_within(model, limits, ignore=[]) %}
    {%- set problems -%}
        with drift as (
            select * from {{ model }}
        ),

        limits as (
            select * from
                values
                {%- for measure, limit in limits.items() %}
                ('{{ measure }}', cast({{ limit }} as double)){{ ',' if not loop.last }}
                {%- endfor %}
                    as listed (measure, allowed)
        )

        select
            drift.pickup_month,
            drift.model,
            drift.version,
            drift.measure || coalesce(' of ' || drift.feature, '') as what,
            round(drift.value, 3) as value,
            limits.allowed
        from drift
        inner join limits on drift.measure = limits.measure
        where
            drift.role in ('test', 'later')
            and drift.value > limits.allowed
            {%- for feature in ignore %}
            and not drift.feature <=> '{{ feature }}'
            {%- endfor %}
        order by drift.pickup_month, drift.model, drift.value desc
    {%- endset -%}

    {% call(row) log_findings('drift_within', problems) -%}
        needed: {{ row['what'] }} of at most {{ row['allowed'] }} in {{ row['pickup_month'] }} for version
        {{ row['version'] }} of {{ row['model'] }}. found: {{ row['value'] }}. do: check the month's
        file; if the change is real, train on months that show it
    {%- endcall %}
{% endtest %}
