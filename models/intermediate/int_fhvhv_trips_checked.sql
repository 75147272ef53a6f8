{{ config(
    materialized='incremental', event_time='file_month', quarantine_when='is_quarantined',
    **layout(monthly_partitions('file_month'), skipping_stats('pickup_at'))
) }}

{%- set services = ['fhvhv'] %}

with windowed as (
    select * from {{ ref('int_fhvhv_trips_windowed') }}
),

checked as (
    select
        * except (has_mirror, is_repeat),
        {{ fired_names(trip_rules(services), services) }} as reasons,
        {{ fired_names(trip_flags(services), services) }} as flags
    from windowed
),

final as (
    select
        *,
        size(reasons) > 0 as is_quarantined,
        '{{ invocation_id }}' as run_id
    from checked
)

select * from final
