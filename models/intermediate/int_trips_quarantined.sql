with checked as (
    select * from {{ ref('int_trips_checked') }}
),

final as (
    select * except (is_quarantined)
    from checked
    where is_quarantined
)

select * from final
