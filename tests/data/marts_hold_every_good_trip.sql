-- Every mart has every good trip and its amount, for each service and month separately, so that
-- differences can't cancel out. A row shows the surplus of a mart; negative values are missing.
with good as (
    select
        service_type,
        file_month as month,
        count(*) as trips,
        coalesce(sum(total_amount), 0) as total_amount,
        coalesce(sum(fare_amount), 0) as fare_amount
    from {{ ref('int_trips') }}
    group by service_type, file_month
    union all
    select
        service_type,
        file_month as month,
        count(*) as trips,
        0 as total_amount,
        0 as fare_amount
    from {{ ref('int_fhvhv_trips') }}
    group by service_type, file_month
),

-- The services of each mart, and the amount that it has.
marts as (
    select
        mart,
        explode(services) as service_type,
        holds
    from
        values
        ('fct_trips', array('green', 'yellow'), 'total_amount'),
        ('monthly_zone_revenue', array('green', 'yellow'), 'total_amount'),
        ('hourly_zone_revenue', array('green', 'yellow'), 'total_amount'),
        ('trip_features', array('green', 'yellow'), 'fare_amount'),
        ('fhvhv_zone_pickups', array('fhvhv'), 'none')
            as listed (mart, services, holds)
),

counted as (
    select
        'fct_trips' as mart,
        service_type,
        pickup_month as month,
        1 as trips,
        total_amount as amount
    from {{ ref('fct_trips') }}
    union all
    select
        'monthly_zone_revenue' as mart,
        service_type,
        revenue_month as month,
        trips,
        revenue_monthly_total_amount as amount
    from {{ ref('monthly_zone_revenue') }}
    {%- for service in ['green', 'yellow'] %}
    union all
    select
        'hourly_zone_revenue' as mart,
        '{{ service }}' as service_type,
        pickup_month as month,
        {{ service }}_trips as trips,
        {{ service }}_amount as amount
    from {{ ref('hourly_zone_revenue') }}
    {%- endfor %}
    union all
    select
        'trip_features' as mart,
        service_type,
        pickup_month as month,
        1 as trips,
        fare_amount as amount
    from {{ ref('trip_features') }}
    union all
    select
        'fhvhv_zone_pickups' as mart,
        'fhvhv' as service_type,
        pickup_month as month,
        pickups as trips,
        0 as amount
    from {{ ref('fhvhv_zone_pickups') }}
    union all
    select
        marts.mart,
        good.service_type,
        good.month,
        -good.trips as trips,
        -case marts.holds
            when 'total_amount' then good.total_amount
            when 'fare_amount' then good.fare_amount
            else 0
        end as amount
    from good
    inner join marts on good.service_type = marts.service_type
),

final as (
    select
        mart,
        service_type,
        month,
        sum(trips) as trips_too_many,
        coalesce(sum(amount), 0) as amount_too_much
    from counted
    group by mart, service_type, month
    having trips_too_many <> 0 or amount_too_much <> 0
)

select * from final
