{{ config(tags=['ml']) }}
-- RDDs and SQL compute the same hourly revenue, to the cent. A row is in only one of the two.
{%- if is_built(ref('hourly_revenue_rdd')) %}
{%- set columns %}
    pickup_month, pickup_hour, pickup_zone_id, green_trips, green_amount, yellow_trips, yellow_amount
{%- endset %}
with by_sql as (
    select {{ columns }} from {{ ref('hourly_zone_revenue') }}
),

by_rdd as (
    select {{ columns }} from {{ ref('hourly_revenue_rdd') }}
),

final as (
    (
        select * from by_sql
        except all
        select * from by_rdd
    )
    union all
    (
        select * from by_rdd
        except all
        select * from by_sql
    )
)

select * from final
{%- else %}
select 1 as difference
where false
{%- endif %}
