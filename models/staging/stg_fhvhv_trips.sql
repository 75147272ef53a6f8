with source as (
    select * from {{ source('lake', 'fhvhv') }}
),

final as (
    select
        'fhvhv' as service_type,
        hvfhs_license_num as licence_number,
        dispatching_base_num as dispatching_base,
        originating_base_num as originating_base,
        request_datetime as requested_at,
        on_scene_datetime as on_scene_at,
        pickup_datetime as pickup_at,
        dropoff_datetime as dropoff_at,
        pulocationid as pickup_zone_id,
        dolocationid as dropoff_zone_id,
        trip_miles as trip_distance,
        trip_time as trip_seconds,
        base_passenger_fare as fare_amount,
        tolls as tolls_amount,
        bcf as black_car_fund,
        sales_tax,
        congestion_surcharge,
        airport_fee,
        cbd_congestion_fee,
        tips as tip_amount,
        driver_pay,
        shared_request_flag,
        shared_match_flag,
        access_a_ride_flag,
        wav_request_flag,
        wav_match_flag,
        source_file,
        source_row,
        file_month
    from source
)

select * from final
