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

-- Mirrors and repeats share trip_key; so may other rows, which the windows below tell apart.
-- A service has one file a month, so month and signed_row identify a row without comparing texts.
keyed as (
    select
        *,
        xxhash64(
            service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at,
            pickup_zone_id, dropoff_zone_id, abs(total_amount)
        ) as trip_key,
        if(service_type = 'green', -source_row, source_row) as signed_row
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
        file_month,
        signed_row,
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
        keyed.* except (trip_key, signed_row),
        coalesce(compared.has_mirror, false) as has_mirror,
        coalesce(compared.is_repeat, false) as is_repeat
    from keyed
    left join compared
        on
            keyed.file_month = compared.file_month and keyed.signed_row = compared.signed_row
            and (compared.has_mirror or compared.is_repeat)
)

select * from final
