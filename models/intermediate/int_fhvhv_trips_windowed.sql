with trips as (
    select * from {{ ref('stg_fhvhv_trips') }}
),

-- Repeated rows share this key. Other rows may share it too; the window below distinguishes them.
keyed as (
    select
        *,
        xxhash64(
            licence_number, requested_at, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id,
            fare_amount, driver_pay
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

numbered as (
    select
        *,
        false as has_mirror,
        row_number() over (
            partition by
                file_month, source_file, licence_number, dispatching_base, originating_base,
                requested_at, on_scene_at, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id,
                trip_distance, trip_seconds, fare_amount, tolls_amount, black_car_fund, sales_tax,
                congestion_surcharge, airport_fee, cbd_congestion_fee, tip_amount, driver_pay,
                shared_request_flag, shared_match_flag, access_a_ride_flag, wav_request_flag,
                wav_match_flag
            order by source_row
        ) > 1 as is_repeat
    from candidates
),

final as (
    select * from single_trips
    union all
    select * from numbered
)

select * from final
