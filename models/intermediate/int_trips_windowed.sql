with trips as (
    select * from {{ ref('stg_green_trips') }}
    union all
    select * from {{ ref('stg_yellow_trips') }}
),

-- Mirrors and repeated rows share trip_key. Other rows may share it too; the windows below
-- distinguish them. Service and file are not hashed, because a million rows share them.
keyed as (
    select
        *,
        xxhash64(
            vendor_id, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id, abs(total_amount)
        ) as trip_key
    from trips
),

-- Each join includes the month, so that a filter on months is pushed down to every scan.
shared_keys as (
    select
        file_month,
        trip_key
    from keyed
    group by file_month, trip_key
    having count(*) > 1
),

-- A left anti join would lose its hint, because Spark pushes it below the union of the services.
single_trips as (
    select {{ hints(broadcast('shared_keys')) }}
        keyed.* except (trip_key),
        false as has_mirror,
        false as is_repeat
    from keyed
    left join shared_keys
        on keyed.file_month = shared_keys.file_month and keyed.trip_key = shared_keys.trip_key
    where shared_keys.trip_key is null
),

candidates as (
    select {{ hints(broadcast('shared_keys')) }} keyed.* except (trip_key)
    from keyed
    inner join shared_keys
        on keyed.file_month = shared_keys.file_month and keyed.trip_key = shared_keys.trip_key
),

compared as (
    select
        *,
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
    select * from single_trips
    union all
    select * from compared
)

select * from final
