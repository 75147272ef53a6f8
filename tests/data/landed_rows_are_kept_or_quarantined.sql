-- For every service and file month, the manifest's number of rows equals that of the lake, and that
-- of good plus quarantined rows; the amounts agree to the cent. Rows are aggregated once, after the
-- union: one shuffle instead of eight.
with counted as (
    select
        'recorded' as place,
        dataset as service_type,
        file_month,
        rows,
        cast(0 as decimal(12, 2)) as amount
    from {{ source('lake', 'manifest') }}
    where is_live and dataset in ('green', 'yellow', 'fhvhv')
    {%- for service, amount in {
        'green': 'total_amount', 'yellow': 'total_amount', 'fhvhv': 'base_passenger_fare'
    }.items() %}
    union all
    select
        'landed' as place,
        '{{ service }}' as service_type,
        file_month,
        1 as rows,
        {{ amount }} as amount
    from {{ source('lake', service) }}
    {%- endfor %}
    {%- for model, place, amount in [
        ('int_trips', 'good', 'total_amount'),
        ('int_trips_quarantined', 'quarantined', 'total_amount'),
        ('int_fhvhv_trips', 'good', 'fare_amount'),
        ('int_fhvhv_trips_quarantined', 'quarantined', 'fare_amount')
    ] %}
    union all
    select
        '{{ place }}' as place,
        service_type,
        file_month,
        1 as rows,
        {{ amount }} as amount
    from {{ ref(model) }}
    {%- endfor %}
),

added_up as (
    select
        service_type,
        file_month,
        {%- for place in ['recorded', 'landed', 'good', 'quarantined'] %}
        coalesce(sum(rows) filter (where place = '{{ place }}'), 0) as {{ place }}_rows,
        coalesce(sum(amount) filter (where place = '{{ place }}'), 0) as {{ place }}_amount,
        {%- endfor %}
        count(*) as places
    from counted
    group by service_type, file_month
),

final as (
    select * except (recorded_amount, places)
    from added_up
    where
        recorded_rows <> landed_rows
        or landed_rows <> good_rows + quarantined_rows
        or landed_amount <> good_amount + quarantined_amount
)

select * from final
