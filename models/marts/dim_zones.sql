with zones as (
    select * from {{ ref('zones') }}
),

final as (
    select
        zone_id,
        zone_name as zone,
        borough,
        service_zone,
        zone_id < 264 as is_known
    from zones
)

select * from final
