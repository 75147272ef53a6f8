with checked as (
    select * from {{ ref('int_trips_checked') }}
),

final as (
    select
        md5(
            concat_ws('|', service_type, cast(file_month as string), cast(source_row as string))
        ) as trip_id,
        * except (reasons, is_quarantined)
    from checked
    where not is_quarantined
)

select * from final
