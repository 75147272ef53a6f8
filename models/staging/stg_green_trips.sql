with source as (
    select * from {{ source('lake', 'green') }}
),

final as (
    select
        'green' as service_type,
        vendorid as vendor_id,
        lpep_pickup_datetime as pickup_at,
        lpep_dropoff_datetime as dropoff_at,
        pulocationid as pickup_zone_id,
        dolocationid as dropoff_zone_id,
        passenger_count,
        trip_distance,
        ratecodeid as rate_code_id,
        payment_type as payment_type_id,
        fare_amount,
        extra,
        mta_tax,
        tip_amount,
        tolls_amount,
        improvement_surcharge,
        congestion_surcharge,
        cast(null as decimal(12, 2)) as airport_fee,
        cbd_congestion_fee,
        total_amount,
        store_and_fwd_flag,
        trip_type,
        ehail_fee,
        source_file,
        source_row,
        file_month
    from source
)

select * from final
