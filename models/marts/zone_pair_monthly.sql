{{ config(
    materialized='incremental', event_time='pickup_month', **monthly_partitions('pickup_month')
) }}

with trips as (
    select * from {{ ref('int_trips') }}
),

-- The sums are exact decimals, so that adding months gives the same result in any order.
final as (
    select
        file_month as pickup_month,
        pickup_zone_id,
        dropoff_zone_id,
        count(*) as trips,
        sum(cast(trip_distance as decimal(12, 2))) as distance_miles,
        sum(timestampdiff(second, pickup_at, dropoff_at)) as duration_seconds,
        sum(fare_amount) as fare_amount
    from trips
    group by all
)

select * from final
