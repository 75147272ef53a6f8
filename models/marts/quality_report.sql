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
        reasons
    from trips
    union all
    select
        service_type,
        file_month,
        reasons
    from fhvhv_trips
),

rules as (
    select * from {{ rule_applicability() }}
),

months as (
    select
        service_type,
        file_month,
        count(*) as all_rows
    from checked
    group by service_type, file_month
),

reasons as (
    select
        service_type,
        file_month,
        explode(reasons) as rule
    from checked
    where size(reasons) > 0
),

fired as (
    select
        service_type,
        file_month,
        rule,
        count(*) as fired_rows
    from reasons
    group by service_type, file_month, rule
),

final as (
    select {{ hints(broadcast('rules', 'fired')) }}
        months.service_type,
        months.file_month as month,
        rules.rule,
        coalesce(fired.fired_rows, 0) as rows,
        coalesce(fired.fired_rows, 0) / months.all_rows as share
    from months
    inner join rules on months.service_type = rules.service_type
    left join fired
        on
            months.service_type = fired.service_type
            and months.file_month = fired.file_month
            and rules.rule = fired.rule
)

select * from final
