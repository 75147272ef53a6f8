with checked as (
    select * from {{ ref('int_fhvhv_trips_checked') }}
),

final as (
    select * except (reasons, is_quarantined)
    from checked
    where not is_quarantined
)

select * from final
