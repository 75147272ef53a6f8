{{ config(
    materialized='incremental', event_time='pickup_month', **monthly_partitions('pickup_month')
) }}

with trips as (
    select * from {{ ref('fct_trips') }}
),

zones as (
    select * from {{ ref('dim_zones') }}
),

-- date_trunc would use the session's time zone and shift hours that daylight saving time skips.
hours as (
    select
        *,
        timestampadd(hour, hour(pickup_at), cast(cast(pickup_at as date) as timestamp_ntz))
            as pickup_hour
    from trips
),

-- Grouped by the join keys, so that one exchange serves both the aggregation and the join.
green as (
    select
        pickup_month,
        pickup_hour,
        pickup_zone_id,
        count(*) as trips,
        sum(total_amount) as amount
    from hours
    where service_type = 'green'
    group by all
),

yellow as (
    select
        pickup_month,
        pickup_hour,
        pickup_zone_id,
        count(*) as trips,
        sum(total_amount) as amount
    from hours
    where service_type = 'yellow'
    group by all
),

joined as (
    select
        coalesce(green.pickup_month, yellow.pickup_month) as pickup_month,
        coalesce(green.pickup_hour, yellow.pickup_hour) as pickup_hour,
        coalesce(green.pickup_zone_id, yellow.pickup_zone_id) as pickup_zone_id,
        coalesce(green.trips, 0) as green_trips,
        coalesce(green.amount, 0) as green_amount,
        coalesce(yellow.trips, 0) as yellow_trips,
        coalesce(yellow.amount, 0) as yellow_amount
    from green
    full outer join yellow
        on
            green.pickup_month = yellow.pickup_month
            and green.pickup_hour = yellow.pickup_hour
            and green.pickup_zone_id = yellow.pickup_zone_id
),

final as (
    select {{ hints(broadcast('zones'), rebalance('pickup_month')) }}
        joined.pickup_month,
        joined.pickup_hour,
        joined.pickup_zone_id,
        zones.zone,
        zones.borough,
        joined.green_trips,
        joined.green_amount,
        joined.yellow_trips,
        joined.yellow_amount
    from joined
    left join zones on joined.pickup_zone_id = zones.zone_id
)

select * from final
