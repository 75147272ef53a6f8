{{ config(
    materialized='incremental', event_time='revenue_month', **monthly_partitions('revenue_month')
) }}

with trips as (
    select * from {{ ref('fct_trips') }}
),

final as (
    select
        pickup_zone_id,
        pickup_month as revenue_month,
        service_type,
        sum(fare_amount) as revenue_monthly_fare,
        sum(extra) as revenue_monthly_extra,
        sum(mta_tax) as revenue_monthly_mta_tax,
        sum(tip_amount) as revenue_monthly_tip_amount,
        sum(tolls_amount) as revenue_monthly_tolls_amount,
        sum(improvement_surcharge) as revenue_monthly_improvement_surcharge,
        sum(total_amount) as revenue_monthly_total_amount,
        sum(congestion_surcharge) as revenue_monthly_congestion_surcharge,
        avg(passenger_count) as avg_monthly_passenger_count,
        avg(trip_distance) as avg_monthly_trip_distance,
        count(*) as trips
    from trips
    group by pickup_zone_id, pickup_month, service_type
)

select * from final
