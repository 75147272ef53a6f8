{{ config(tags=['ml']) }}
-- Every trip with features has one prediction in the warehouse and one in the export. A row is a
-- month in which the counts differ.
{%- if is_built(ref('exported_predictions')) %}
with features as (
    select
        pickup_month,
        count(*) as trips
    from {{ ref('trip_features') }}
    group by pickup_month
),

predictions as (
    select
        pickup_month,
        count(*) as trips
    from {{ ref('trip_predictions') }}
    group by pickup_month
),

exported as (
    select * from {{ ref('exported_predictions') }}
),

final as (
    select
        coalesce(features.pickup_month, predictions.pickup_month, exported.pickup_month) as month,
        features.trips as feature_trips,
        predictions.trips as predicted_trips,
        exported.trips as exported_trips
    from features
    full outer join predictions on features.pickup_month = predictions.pickup_month
    full outer join exported on predictions.pickup_month = exported.pickup_month
    where
        not features.trips <=> predictions.trips
        or not predictions.trips <=> exported.trips
)

select * from final
{%- else %}
select 1 as difference
where false
{%- endif %}
