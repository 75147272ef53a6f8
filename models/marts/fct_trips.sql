{{ config(
    materialized='incremental', event_time='pickup_month',
    **layout(
        monthly_partitions('pickup_month'), clustered('pickup_zone_id'),
        skipping_stats(['pickup_at', 'dropoff_at', 'pickup_zone_id', 'dropoff_zone_id'])
    )
) }}

with trips as (
    select * from {{ ref('int_trips') }}
),

final as (
    select
        trip_id,
        service_type,
        vendor_id,
        pickup_at,
        dropoff_at,
        file_month as pickup_month,
        pickup_zone_id,
        dropoff_zone_id,
        passenger_count,
        trip_distance,
        rate_code_id,
        payment_type_id,
        fare_amount,
        extra,
        mta_tax,
        tip_amount,
        tolls_amount,
        improvement_surcharge,
        congestion_surcharge,
        airport_fee,
        cbd_congestion_fee,
        total_amount,
        source_file
    from trips
)

select * from final
