{{ config(materialized='incremental', event_time='month', **monthly_partitions('month')) }}

with trips as (
    select * from {{ ref('int_trips_checked') }}
),

fhvhv_trips as (
    select * from {{ ref('int_fhvhv_trips_checked') }}
),

checked as (
    select
        service_type,
        file_month,
        reasons,
        flags
    from trips
    union all
    select
        service_type,
        file_month,
        reasons,
        flags
    from fhvhv_trips
),

rules as (
    select * from {{ rule_applicability() }}
),

months as (
    select
        service_type,
        file_month,
        count(*) as checked_rows
    from checked
    group by service_type, file_month
),

names as (
    select
        service_type,
        file_month,
        explode(concat(reasons, flags)) as rule
    from checked
    where size(reasons) + size(flags) > 0
),

fired as (
    select
        service_type,
        file_month,
        rule,
        count(*) as fired_rows
    from names
    group by service_type, file_month, rule
),

final as (
    select {{ hints(broadcast('rules', 'fired')) }}
        months.service_type,
        months.file_month as month,
        rules.rule,
        rules.severity,
        coalesce(fired.fired_rows, 0) as rows,
        months.checked_rows,
        coalesce(fired.fired_rows, 0) / months.checked_rows as share
    from months
    inner join rules on months.service_type = rules.service_type
    left join fired
        on
            months.service_type = fired.service_type
            and months.file_month = fired.file_month
            and rules.rule = fired.rule
)

select * from final
