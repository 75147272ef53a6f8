{{ config(tags=['ml']) }}
-- The stream's table has the rows of the staging models. A row is a month that differs.
-- depends_on: {{ ref('stream_progress') }}
{%- if is_built(ref('stream_progress')) %}
{%- set columns %}
    vendor_id, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id, passenger_count,
    trip_distance, rate_code_id, payment_type_id, fare_amount, extra, mta_tax, tip_amount,
    tolls_amount, improvement_surcharge, congestion_surcharge, airport_fee, cbd_congestion_fee,
    total_amount, store_and_fwd_flag, trip_type, ehail_fee, source_file, source_row
{%- endset %}
with batch as (
    select * from {{ ref('stg_green_trips') }}
    union all
    select * from {{ ref('stg_yellow_trips') }}
),

streamed as (
    select * from {{ source('streams', 'stream_trips') }}
),

counted as (
    select
        'batch' as lane,
        service_type,
        file_month,
        count(*) as trips,
        sum(cast(xxhash64({{ columns }}) as decimal(38, 0))) as mark
    from batch
    group by service_type, file_month
    union all
    select
        'stream' as lane,
        service_type,
        file_month,
        count(*) as trips,
        sum(cast(xxhash64({{ columns }}) as decimal(38, 0))) as mark
    from streamed
    group by service_type, file_month
),

final as (
    select
        service_type,
        file_month,
        collect_list(struct(lane, trips)) as lanes
    from counted
    group by service_type, file_month
    having count(*) <> 2 or count(distinct trips, mark) <> 1
)

select * from final
{%- else %}
select 1 as difference
where false
{%- endif %}
