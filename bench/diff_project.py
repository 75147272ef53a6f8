"""The project of bench/diff.py: a lake of rides, and one interval model that two targets build."""

from __future__ import annotations

from pathlib import Path

import duckdb

TABLE, KEY = "rides", "id"
COLUMNS = ("month", "at", "zone", "dropoff", "fare", "tip", "km", "label", "paid")
MONTHS = tuple(f"2024-{month:02d}" for month in range(1, 13))
FILES = {
    "dbt_project.yml": """
name: small
version: 1.0.0
profile: small
flags: {send_anonymous_usage_stats: false}
on-run-start: "{{ penstock_sync_lake() }}"
""",
    "profiles.yml": """
small:
  target: dev
  outputs:
    dev: {type: penstock, schema: dev, threads: 1, keep_plans: false}
    prod: {type: penstock, schema: prod, threads: 1, keep_plans: false}
""",
    "lake.yml": """
version: 1
datasets:
  rides:
    description: Rides, one file a month.
    file_name: ["rides_{month}.parquet"]
    columns:
      id: {type: bigint}
      at: {type: timestamp}
      zone: {type: int}
      dropoff: {type: int}
      fare: {type: money}
      tip: {type: money}
      km: {type: double}
      label: {type: string}
      paid: {type: boolean}
""",
    "models/sources.yml": """
version: 2
sources:
  - name: lake
    schema: lake
    config: {event_time: file_month}
    tables: [{name: rides}]
""",
    "models/rides.yml": """
version: 2
models:
  - name: rides
    columns:
      - {name: id, data_tests: [unique]}
""",
    "models/rides.sql": """
{{ config(
    materialized='incremental', incremental_strategy='interval', event_time='month', partition_by='month',
    intervals_per_commit=12
) }}
select id, file_month as month, at, zone, dropoff, fare, tip, km, label, paid from {{ source('lake', 'rides') }}
""",
}


def write_months(folder: Path, rows: int) -> None:
    """Write one parquet file of rides for each month.

    Args:
        folder: the folder of the files.
        rows: number of rows of all months together.
    """
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as engine:
        for place, month in enumerate(MONTHS):
            span = rows * place // len(MONTHS), rows * (place + 1) // len(MONTHS)
            path = folder / f"rides_{month}.parquet"
            engine.execute(f"copy ({_rides(month, *span)}) to '{path}' (format parquet)")


def _rides(month: str, first: int, last: int) -> str:
    """Return DuckDB's query for the rides whose numbers are at least `first` and below `last`."""
    return (
        f"select range as id, timestamp '{month}-01' + to_seconds(range % 2_000_000) as at, "
        "cast(range % 263 as int) as zone, cast(range % 251 as int) as dropoff, range % 8191 * 0.25::double as fare, "
        "range % 97 * 0.5::double as tip, range % 8191 / 75.0::double as km, 'ride ' || range % 4099 as label, "
        f"range % 3 = 0 as paid from range({first}, {last})"
    )
