"""The project of bench/diff.py: a lake of rides, and one interval model that two targets build."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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
    for place, month in enumerate(MONTHS):
        first, last = rows * place // len(MONTHS), rows * (place + 1) // len(MONTHS)
        pq.write_table(_rides(month, first, last), folder / f"rides_{month}.parquet")


def _rides(month: str, first: int, last: int) -> pa.Table:
    numbers = pa.array(range(first, last), pa.int64())
    cents = pc.multiply(pc.bit_wise_and(numbers, 8191), 4).cast(pa.float64())
    start = pa.scalar(f"{month}-01 00:00:00").cast(pa.timestamp("us"))
    seconds = pc.bit_wise_and(numbers, 1048575).cast(pa.duration("s")).cast(pa.duration("us"))
    zones = pc.bit_wise_and(numbers, 255).cast(pa.int32())
    return pa.table(
        {
            "id": numbers,
            "at": pc.add(start, seconds),
            "zone": zones,
            "dropoff": pc.bit_wise_xor(zones, 85),
            "fare": pc.divide(cents, 100.0),
            "tip": pc.divide(cents, 400.0),
            "km": pc.divide(cents, 300.0),
            "label": pc.binary_join_element_wise("ride", pc.bit_wise_and(numbers, 4095).cast(pa.string()), " "),
            "paid": pc.equal(pc.bit_wise_and(numbers, 3), 0),
        }
    )
