{{ config(tags=['ml']) }}
-- GraphX and DataFrames compute the same ranks, which sum to the number of zones.
with ranks as (
    select * from {{ ref('zone_rank') }}
),

final as (
    select
        zone_id,
        page_rank,
        rank_by_frames
    from ranks
    where abs(page_rank - rank_by_frames) > 1e-6
    union all
    select
        null as zone_id,
        sum(page_rank) as page_rank,
        count(*) as rank_by_frames
    from ranks
    having abs(sum(page_rank) - count(*)) > 1e-6
)

select * from final
