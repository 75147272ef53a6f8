{{ config(
    materialized='incremental', event_time='pickup_month', **monthly_partitions('pickup_month')
) }}

with trips as (
    select * from {{ ref('int_fhvhv_trips') }}
),

zones as (
    select * from {{ ref('dim_zones') }}
),

licences as (
    select * from {{ ref('licence_numbers') }}
),

pickups as (
    select
        file_month as pickup_month,
        licence_number,
        pickup_zone_id,
        count(*) as pickups
    from trips
    group by file_month, licence_number, pickup_zone_id
),

final as (
    select {{ hints(broadcast('zones', 'licences'), rebalance('pickup_month')) }}
        pickups.pickup_month,
        pickups.licence_number,
        licences.company,
        pickups.pickup_zone_id,
        zones.zone,
        pickups.pickups
    from pickups
    left join licences on pickups.licence_number = licences.licence_number
    left join zones on pickups.pickup_zone_id = zones.zone_id
)

select * from final
