"""The expected tables of the rides project, computed by DuckDB from the raw files; days are text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.reach.rides_project import COLUMNS, Tables
from tests.support.projects import ROOT

RIDES = """
create table rides as
select parse_filename(filename) || ':' || (file_row_number + 1) as ride_id, PULocationID::int as pickup_zone_id,
    lpep_pickup_datetime as pickup_at, trip_distance, total_amount::decimal(12, 2) as total_amount,
    regexp_extract(filename, '(\\d{4}-\\d{2})\\.parquet', 1) || '-01' as file_month
from read_parquet($files, filename = true, file_row_number = true)
"""
OTHERS = """
create table zone_months as
select zone.borough, file_month, count(*) as rides, sum(total_amount) as amount
from rides join read_csv($zones) as zone on pickup_zone_id = zone.zone_id group by all;
create table fast_rides as select ride_id, trip_distance, file_month, trip_distance > 2 as is_far from rides;
create table rides_by_zone as select pickup_zone_id as zone_id, count(*) as rides from rides group by all
"""


def tables(*files: Path) -> Tables:
    """Return the sorted rows of each table for a lake of these files."""
    with duckdb.connect() as engine:
        engine.execute(RIDES, {"files": [str(file) for file in files]})
        engine.execute(OTHERS.replace("$zones", f"'{ROOT / 'seeds' / 'zones.csv'}'"))
        return {
            table: engine.execute(f"select {', '.join(columns)} from {table} order by all").fetchall()
            for table, columns in COLUMNS.items()
        }
