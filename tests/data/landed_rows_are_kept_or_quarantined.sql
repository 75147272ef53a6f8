-- For every service and file month: rows that the manifest says were landed = rows of the lake
-- = good rows + quarantined rows.
with recorded as (
    select
        dataset as service_type,
        file_month,
        rows
    from {{ source('lake', 'manifest') }}
    where is_live and dataset in ('green', 'yellow', 'fhvhv')
),

landed as (
    select
        'green' as service_type,
        file_month
    from {{ source('lake', 'green') }}
    union all
    select
        'yellow' as service_type,
        file_month
    from {{ source('lake', 'yellow') }}
    union all
    select
        'fhvhv' as service_type,
        file_month
    from {{ source('lake', 'fhvhv') }}
),

split as (
    {%- for model in [
        'int_trips', 'int_trips_quarantined', 'int_fhvhv_trips', 'int_fhvhv_trips_quarantined'
    ] %}
    select
        service_type,
        file_month
    from {{ ref(model) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        service_type,
        file_month,
        rows as recorded_rows,
        0 as landed_rows,
        0 as split_rows
    from recorded
    union all
    select
        service_type,
        file_month,
        0 as recorded_rows,
        1 as landed_rows,
        0 as split_rows
    from landed
    union all
    select
        service_type,
        file_month,
        0 as recorded_rows,
        0 as landed_rows,
        1 as split_rows
    from split
),

final as (
    select
        service_type,
        file_month,
        sum(recorded_rows) as recorded_rows,
        sum(landed_rows) as landed_rows,
        sum(split_rows) as split_rows
    from counted
    group by service_type, file_month
    having sum(landed_rows) <> sum(recorded_rows) or sum(landed_rows) <> sum(split_rows)
)

select * from final
