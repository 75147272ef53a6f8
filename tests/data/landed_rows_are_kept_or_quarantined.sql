-- For every service and file month: rows that the manifest says were landed = rows of the lake
-- = good rows + quarantined rows.
with counted as (
    select
        'recorded' as place,
        dataset as service_type,
        file_month,
        rows
    from {{ source('lake', 'manifest') }}
    where is_live and dataset in ('green', 'yellow', 'fhvhv')
    {%- for service in ['green', 'yellow', 'fhvhv'] %}
    union all
    select
        'landed' as place,
        '{{ service }}' as service_type,
        file_month,
        count(*) as rows
    from {{ source('lake', service) }}
    group by file_month
    {%- endfor %}
    {%- for model in [
        'int_trips', 'int_trips_quarantined', 'int_fhvhv_trips', 'int_fhvhv_trips_quarantined'
    ] %}
    union all
    select
        'split' as place,
        service_type,
        file_month,
        count(*) as rows
    from {{ ref(model) }}
    group by service_type, file_month
    {%- endfor %}
),

final as (
    select
        service_type,
        file_month,
        sum(rows) filter (where place = 'recorded') as recorded_rows,
        sum(rows) filter (where place = 'landed') as landed_rows,
        sum(rows) filter (where place = 'split') as split_rows
    from counted
    group by service_type, file_month
    having not (recorded_rows <=> landed_rows and landed_rows <=> split_rows)
)

select * from final
