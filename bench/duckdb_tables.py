"""Build the five tables of the SQL models with DuckDB from the same landed files, for comparison.

    .venv/bin/python bench/duckdb_tables.py LAKE DATABASE FIRST_MONTH

The algorithm is the same as in the models: a 64-bit key finds the few rows that may have a mirror or a repeat, and
only those rows are compared exactly. The quality rules come from the project's list. The program prints CPU seconds by
table as JSON. It does nothing else, so that the CPU seconds of the process are DuckDB's.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
CHECKED, TRIPS = "intermediate.int_trips_checked", "warehouse.fct_trips"
# The columns of both services after the times, in the models' order: name in the model, then name in the file.
SHARED = {
    "pickup_zone_id": "pulocationid",
    "dropoff_zone_id": "dolocationid",
    "passenger_count": "passenger_count",
    "trip_distance": "trip_distance",
    "rate_code_id": "ratecodeid",
    "payment_type_id": "payment_type",
    **{
        name: name
        for name in (
            *("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge"),
            *("congestion_surcharge", "airport_fee", "cbd_congestion_fee", "total_amount", "store_and_fwd_flag"),
            *("trip_type", "ehail_fee", "source_file", "source_row", "file_month"),
        )
    },
}
SERVICES = {
    "green": ("lpep", {"airport_fee": "decimal(12, 2)"}),
    "yellow": ("tpep", {"trip_type": "integer", "ehail_fee": "decimal(12, 2)"}),
}
SAME_TRIP = """
    service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id,
    abs(total_amount)
"""
SAME_ROW = """
    service_type, file_month, source_file, vendor_id, pickup_at, dropoff_at, pickup_zone_id, dropoff_zone_id,
    passenger_count, trip_distance, rate_code_id, payment_type_id, fare_amount, extra, mta_tax, tip_amount,
    tolls_amount, improvement_surcharge, congestion_surcharge, airport_fee, cbd_congestion_fee, total_amount,
    store_and_fwd_flag, trip_type, ehail_fee
"""
# Expressions in the rules' conditions that have another form in DuckDB.
DUCKDB_EXPRESSIONS = {"trunc(cast(pickup_at as date), 'month')": "cast(date_trunc('month', pickup_at) as date)"}
FACTS = f"""
select
    md5(concat_ws('|', service_type, cast(file_month as varchar), cast(source_row as varchar))) as trip_id,
    service_type, vendor_id, pickup_at, dropoff_at, file_month as pickup_month, pickup_zone_id, dropoff_zone_id,
    passenger_count, trip_distance, rate_code_id, payment_type_id, fare_amount, extra, mta_tax, tip_amount,
    tolls_amount, improvement_surcharge, congestion_surcharge, airport_fee, cbd_congestion_fee, total_amount,
    source_file
from {CHECKED}
where not is_quarantined
"""
MONTHLY = f"""
select
    pickup_zone_id, pickup_month as revenue_month, service_type,
    sum(fare_amount) as revenue_monthly_fare,
    sum(extra) as revenue_monthly_extra,
    sum(mta_tax) as revenue_monthly_mta_tax,
    sum(tip_amount) as revenue_monthly_tip_amount,
    sum(tolls_amount) as revenue_monthly_tolls_amount,
    sum(improvement_surcharge) as revenue_monthly_improvement_surcharge,
    sum(total_amount) as revenue_monthly_total_amount,
    sum(congestion_surcharge) as revenue_monthly_congestion_surcharge,
    avg(passenger_count) as avg_monthly_passenger_count,
    avg(trip_distance) as avg_monthly_trip_distance,
    count(*) as trips
from {TRIPS}
group by all
"""
HOURLY = f"""
with hours as (
    select
        pickup_month,
        date_trunc('hour', pickup_at) as pickup_hour,
        pickup_zone_id,
        count(*) filter (where service_type = 'green') as green_trips,
        coalesce(sum(total_amount) filter (where service_type = 'green'), 0) as green_amount,
        count(*) filter (where service_type = 'yellow') as yellow_trips,
        coalesce(sum(total_amount) filter (where service_type = 'yellow'), 0) as yellow_amount
    from {TRIPS}
    group by all
)

select hours.*, zones.zone_name as zone, zones.borough
from hours left join read_csv('{ROOT / "seeds" / "zones.csv"}') as zones on hours.pickup_zone_id = zones.zone_id
"""
REPORT = f"""
with months as (select service_type, file_month, count(*) as checked_rows from {CHECKED} group by all),
names as (select service_type, file_month, unnest(list_concat(reasons, flags)) as rule from {CHECKED}),
fired as (select service_type, file_month, rule, count(*) as fired_rows from names group by all)

select
    months.service_type, months.file_month as month, rules.rule, rules.severity,
    coalesce(fired.fired_rows, 0) as rows, months.checked_rows,
    coalesce(fired.fired_rows, 0) / months.checked_rows as share
from months
inner join (values {{rules}}) as rules (service_type, rule, severity) using (service_type)
left join fired using (service_type, file_month, rule)
"""


def landed_files(lake: Path, service: str, first: str) -> list[str]:
    """Return the landed files of a service from the first month onward."""
    folders = sorted((lake / service).glob("file_month=*"))
    return [str(path) for item in folders if item.name >= f"file_month={first}" for path in item.glob("*/*.parquet")]


def staging_query(lake: Path, service: str, first: str) -> str:
    """Return the query of a service's staging model."""
    meter, missing = SERVICES[service]
    columns = [f"cast(null as {missing[name]}) as {name}" if name in missing else f"{file} as {name}"
               for name, file in SHARED.items()]  # fmt: skip
    return f"""
        select '{service}' as service_type, vendorid as vendor_id, {meter}_pickup_datetime as pickup_at,
            {meter}_dropoff_datetime as dropoff_at, {", ".join(columns)}
        from read_parquet({landed_files(lake, service, first)}, hive_partitioning = true)
    """


def broken_rules(rules: Sequence[dict[str, Any]], severity: str) -> str:
    """Return an expression for the names of the rules of one severity that fire for a row."""
    conditions = {}
    for rule in rules:
        if rule["severity"] == severity and set(rule["services"]) & set(SERVICES):
            condition = rule["condition"]
            for spark, expression in DUCKDB_EXPRESSIONS.items():
                condition = condition.replace(spark, expression)
            conditions[rule["name"]] = f"({condition})"
    cases = ", ".join(f"case when {condition} then '{name}' end" for name, condition in conditions.items())
    listed = f"list_filter([{cases}], lambda name: name is not null)"
    return f"case when {' or '.join(conditions.values())} then {listed} else cast([] as varchar[]) end"


def checked_query(lake: Path, rules: Sequence[dict[str, Any]], first: str) -> str:
    """Return the query of int_trips_checked, including that of int_trips_windowed."""
    return f"""
    with trips as ({" union all ".join(staging_query(lake, service, first) for service in SERVICES)}),
    keyed as (select *, hash({SAME_TRIP}) as trip_key from trips),
    shared_keys as (select trip_key from keyed group by trip_key having count(*) > 1),
    candidates as (select * from keyed where trip_key in (select trip_key from shared_keys)),
    compared as (
        select
            service_type, file_month, source_row,
            min(total_amount) over same_trip < 0 and max(total_amount) over same_trip > 0 as has_mirror,
            row_number() over same_row > 1 as is_repeat
        from candidates
        window
            same_trip as (partition by {SAME_TRIP}),
            same_row as (partition by {SAME_ROW} order by source_row)
    ),
    windowed as (
        select
            trips.*,
            coalesce(compared.has_mirror, false) as has_mirror,
            coalesce(compared.is_repeat, false) as is_repeat
        from trips
        left join (select * from compared where has_mirror or is_repeat) as compared
            using (service_type, file_month, source_row)
    ),
    judged as (
        select
            * exclude (has_mirror, is_repeat),
            {broken_rules(rules, "error")} as reasons,
            {broken_rules(rules, "warn")} as flags
        from windowed
    )

    select *, len(reasons) > 0 as is_quarantined, 'peer' as run_id from judged
    """


def table_queries(lake: Path, rules: Sequence[dict[str, Any]], first: str) -> dict[str, str]:
    """Return the query of each table, in the order in which they are built."""
    applies = ", ".join(
        f"('{service}', '{rule['name']}', '{rule['severity']}')"
        for rule in rules
        for service in rule["services"]
        if service in SERVICES
    )
    return {
        CHECKED: checked_query(lake, rules, first),
        TRIPS: FACTS,
        "warehouse.monthly_zone_revenue": MONTHLY,
        "warehouse.hourly_zone_revenue": HOURLY,
        "warehouse.quality_report": REPORT.format(rules=applies),
    }


def main() -> None:
    """Build the tables, and print the CPU seconds of each."""
    sys.path.insert(0, str(ROOT))
    from tests.support.project_macros import macros

    lake, database, first = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    used: dict[str, float] = {}
    with duckdb.connect(database) as engine:
        engine.execute(f"set threads = {THREADS}")
        engine.execute("set preserve_insertion_order = false")
        engine.execute("create schema intermediate")
        engine.execute("create schema warehouse")
        for name, query in table_queries(lake, macros()("quality_rules()"), first).items():
            begin = time.process_time()
            engine.execute(f"create table {name} as {query}")
            used[name] = time.process_time() - begin
    print(json.dumps(used))


if __name__ == "__main__":
    main()
