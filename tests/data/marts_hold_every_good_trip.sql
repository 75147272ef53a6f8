-- Every good trip is in the fact table and in both revenue tables, with its amount.
with good as (
    select
        count(*) as trips,
        sum(total_amount) as amount
    from {{ ref('int_trips') }}
),

facts as (
    select
        count(*) as trips,
        sum(total_amount) as amount
    from {{ ref('fct_trips') }}
),

monthly as (
    select
        sum(trips) as trips,
        sum(revenue_monthly_total_amount) as amount
    from {{ ref('monthly_zone_revenue') }}
),

hourly as (
    select
        sum(green_trips + yellow_trips) as trips,
        sum(green_amount + yellow_amount) as amount
    from {{ ref('hourly_zone_revenue') }}
),

features as (
    select count(*) as trips
    from {{ ref('trip_features') }}
),

final as (
    select
        good.trips,
        good.amount,
        facts.trips as fact_trips,
        facts.amount as fact_amount,
        monthly.trips as monthly_trips,
        monthly.amount as monthly_amount,
        hourly.trips as hourly_trips,
        hourly.amount as hourly_amount,
        features.trips as feature_trips
    from good
    cross join facts
    cross join monthly
    cross join hourly
    cross join features
    where
        not (
            good.trips <=> facts.trips
            and good.trips <=> coalesce(monthly.trips, 0)
            and good.trips <=> coalesce(hourly.trips, 0)
            and good.trips <=> features.trips
            and good.amount <=> facts.amount
            and good.amount <=> monthly.amount
            and good.amount <=> hourly.amount
        )
)

select * from final
