"""Real months of the TLC, from the published files to the warehouse, against a second computation.

`PENSTOCK_TLC_DATA` names a folder with `green/` and `yellow/` full of monthly Parquet files. What is
expected comes from DuckDB over those same files: other SQL, another engine, each file read on its
own because types differ between months. Of each service every fourth month is built, and the newest;
with `PENSTOCK_TLC_MONTHS=all` every one.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

DATA = os.environ.get("PENSTOCK_TLC_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="PENSTOCK_TLC_DATA names no folder of TLC files")

MONEY = (
    "fare_amount",
    "extra",
    "mta_tax",
    "tip_amount",
    "tolls_amount",
    "improvement_surcharge",
    "total_amount",
    "congestion_surcharge",
)
Counts = dict[tuple[str, str, str], int]
Revenue = dict[tuple[int, str, str], tuple[Any, ...]]

# One row of `trips` a row of the file; money as text first, so that 1.005 rounds as it reads.
TRIPS = """
create or replace temp table trips as
with raw as (
    select *, columns('^[lt]pep_pickup_datetime$') as t0, columns('^[lt]pep_dropoff_datetime$') as t1,
        row_number() over () as n
    from read_parquet('{path}')
), judged as (
    select *,
        count(*) filter (total_amount > 0) over twin as ups,
        count(*) filter (total_amount < 0) over twin as downs,
        {repeat} as repeats
    from raw
    window twin as (
        partition by VendorID, t0, t1, PULocationID, DOLocationID, abs({total}))
)
select PULocationID as zone, passenger_count, trip_distance, {money},
    list_filter([
        case when strftime(t0, '%Y-%m') != '{month}' then 'pickup_outside_month' end,
        case when t1 < t0 then 'dropoff_before_pickup' end,
        case when epoch(t1) - epoch(t0) > 43200 then 'longer_than_12_hours' end,
        case when trip_distance < 0 then 'distance_negative' end,
        case when trip_distance > 100 then 'distance_over_100_miles' end,
        case when ups > 0 and downs > 0 then 'voided' end,
        case when {fare} < 0 and not (ups > 0 and downs > 0) then 'fare_negative' end,
        case when PULocationID < 1 or PULocationID > 265 or DOLocationID < 1 or DOLocationID > 265
            then 'zone_out_of_range' end,
        case when repeats > 1 then 'duplicate_row' end
    ], lambda x: x is not null) as reasons
from judged
"""


def money(column: str) -> str:
    """DuckDB's expression for a money column, rounded half away from zero on its decimal text."""
    return f"cast(cast({column} as varchar) as decimal(12, 2))"


def read(con: duckdb.DuckDBPyConnection, service: str, path: Path, month: str) -> None:
    """Put one file into the table `trips`, with the reasons of each row."""
    raw = [row[0] for row in con.sql(f"describe select * from read_parquet('{path}')").fetchall()]
    every = ", ".join(f'"{name}"' for name in raw)
    con.execute(
        TRIPS.format(
            path=path,
            month=month,
            total=money("total_amount"),
            fare=money("fare_amount"),
            money=", ".join(f"{money(name)} as {name}" for name in MONEY),
            repeat=f"row_number() over (partition by {every} order by n)",
        )
    )


def computed(folder: Path) -> tuple[Counts, Counts, Revenue]:
    """Expected (rows and quarantined rows, rows by rule, monthly zone revenue) of every file."""
    con = duckdb.connect()
    rows: Counts = {}
    fired: Counts = {}
    revenue: Revenue = {}
    for service in ("green", "yellow"):
        for path in sorted((folder / service).glob(f"{service}_tripdata_*.parquet")):
            month = path.stem.rsplit("_", 1)[1]
            first = f"{month}-01"
            read(con, service, path, month)
            counted = con.sql("select count(*), count(*) filter (len(reasons) > 0) from trips").fetchall()
            rows[service, first, "all"], rows[service, first, "quarantined"] = counted[0]
            rules = con.sql("select r, count(*) from (select unnest(reasons) as r from trips) group by r")
            fired |= {(service, first, rule): count for rule, count in rules.fetchall()}
            sums = ", ".join(f"sum({name})" for name in MONEY)
            zones = con.sql(
                f"select zone, count(*), avg(passenger_count), avg(trip_distance), {sums} from trips "
                "where len(reasons) = 0 group by zone"
            )
            revenue |= {(zone, first, service): tuple(values) for zone, *values in zones.fetchall()}
    return rows, fired, revenue


def number(value: Any) -> Decimal | None:
    """A decimal as either engine hands it over."""
    return None if value is None else Decimal(str(value))


def near(one: Any, other: Any) -> bool:
    """Whether two means of the same values agree: engines add doubles in different orders."""
    return one is other is None or float(one) == pytest.approx(float(other), rel=1e-9)


def chosen(folder: Path, into: Path) -> Path:
    """A folder with links to the files that are built."""
    for service in ("green", "yellow"):
        (into / service).mkdir(parents=True)
        files = sorted((folder / service).glob(f"{service}_tripdata_*.parquet"))
        some = files if os.environ.get("PENSTOCK_TLC_MONTHS") == "all" else {*files[::4], *files[-1:]}
        for file in some:
            (into / service / file.name).symlink_to(file)
    return into


def test_real_months_match_a_second_computation(project: Any, tmp_path: Path) -> None:
    folder = chosen(Path(DATA or ""), tmp_path / "tlc")
    for service in ("green", "yellow"):
        landed = project.penstock("land", service, "all", "--from", str(folder / service))
        assert landed.returncode == 0, landed.stdout
    built = project.dbt("build", "--exclude", "tag:ml", "--exclude-resource-type", "unit_test")
    assert built.returncode == 0, built.stdout
    assert "shares_allowed: needed" not in built.stdout, "real months are within the limits of every rule"

    rows, fired, revenue = computed(folder)
    assert rows, f"no monthly files below {DATA}"

    checked = project.sql(
        "select service_type, cast(file_month as string), count(*), count_if(is_quarantined) "
        "from intermediate.int_trips_checked group by service_type, file_month"
    )
    held = {(s, m, "all"): int(n) for s, m, n, _ in checked} | {(s, m, "quarantined"): int(q) for s, m, _, q in checked}
    assert held == rows

    report = project.sql(
        "select service_type, cast(month as string), rule, rows from warehouse.quality_report where severity = 'error'"
    )
    taxis = {(s, m, rule): int(n) for s, m, rule, n in report if s != "fhvhv"}
    assert {key: n for key, n in taxis.items() if n} == fired
    assert len(taxis) == 9 * len(rows) // 2, "nine rules for every file, zero included"

    columns = ", ".join(
        f"revenue_monthly_{name.removesuffix('_amount') if name == 'fare_amount' else name}" for name in MONEY
    )
    found = project.sql(
        "select pickup_zone_id, cast(revenue_month as string), service_type, trips, avg_monthly_passenger_count, "
        f"avg_monthly_trip_distance, {columns} from warehouse.monthly_zone_revenue"
    )
    got = {(int(z), m, s): values for z, m, s, *values in found}
    assert got.keys() == revenue.keys()
    for key, (trips, passengers, distance, *amounts) in revenue.items():
        assert got[key][0] == trips, key
        assert near(got[key][1], passengers) and near(got[key][2], distance), key
        assert [number(value) for value in got[key][3:]] == [number(value) for value in amounts], key
