with green as (
    select * from {{ ref('stg_green_trips') }}
),

yellow as (
    select * from {{ ref('stg_yellow_trips') }}
),

trips as (
    select * from green
    union all
    select * from yellow
),

keyed as (
    select
        *,
        xxhash64(
            service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at,
            pickup_zone_id, dropoff_zone_id, abs(total_amount)
        ) as trip_key
    from trips
),

shared_keys as (
    select
        file_month,
        trip_key
    from keyed
    group by file_month, trip_key
    having count(*) > 1
),

candidates as (
    select {{ hints(broadcast('shared_keys')) }} keyed.*
    from keyed
    inner join shared_keys
        on keyed.file_month = shared_keys.file_month and keyed.trip_key = shared_keys.trip_key
),

compared as (
    select
        service_type,
        file_month,
        source_file,
        source_row,
        min(total_amount) over same_trip < 0 and max(total_amount) over same_trip > 0 as has_mirror,
        row_number() over same_row > 1 as is_repeat
    from candidates
    window
        same_trip as (
            partition by
                service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at,
                pickup_zone_id, dropoff_zone_id, abs(total_amount)
        ),
        same_row as (
            partition by
                service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at,
                pickup_zone_id, dropoff_zone_id, passenger_count, trip_distance, rate_code_id,
                payment_type_id, fare_amount, extra, mta_tax, tip_amount, tolls_amount,
                improvement_surcharge, congestion_surcharge, airport_fee, cbd_congestion_fee,
                total_amount, store_and_fwd_flag, trip_type, ehail_fee
            order by source_row
        )
),

final as (
    select {{ hints(broadcast('compared')) }}
        trips.*,
        coalesce(compared.has_mirror, false) as has_mirror,
        coalesce(compared.is_repeat, false) as is_repeat
    from trips
    left join compared
        on
            trips.service_type = compared.service_type and trips.file_month = compared.file_month
            and trips.source_file = compared.source_file and trips.source_row = compared.source_row
            and (compared.has_mirror or compared.is_repeat)
)

select * from final
