"""Measure the fixed cost of a month and of a file: many months of few rows, and trips in many small files."""

from __future__ import annotations

import time
from pathlib import Path

from bench.measure import peak_memory, run_command
from bench.projects import sample_command
from bench.scale_project import BUILD, ScaleProject, read_actions
from bench.scale_results import TRIPS, Files, Fixed
from penstock.lake.manifest import Manifest

BEGIN_YEAR, YEAR = 2002, 12
# Rows of each month, in both datasets together.
FEW = 100
MANY = "warehouse.many_files"
PLANNED = f"explain select count(*) from {MANY} where pickup_zone_id = 74"


def measure_months(project: ScaleProject, count: int) -> Fixed:
    """Land and build many months of few rows, and then run dbt with nothing to do.

    Args:
        project: a project whose server runs and is warm.
        count: number of months, a multiple of twelve.
    """
    end = BEGIN_YEAR + count // YEAR - 1
    run_command(sample_command(f"{BEGIN_YEAR}-01..{end}-12", count * FEW), project.folder)
    built, _, _ = project.build()
    hook = next(item for item in project.results() if item["unique_id"].startswith("operation."))
    publish = float(hook["execution_time"])
    manifest, begin = Manifest(project.settings.lake_dir), time.monotonic()
    entries = len(manifest.entries())
    reading = time.monotonic() - begin
    size = sum(path.stat().st_size for path in Path(str(manifest.log_dir)).glob("*.json"))
    nothing = project.run(*BUILD, *project.models, "--exclude-resource-type", "seed").wall
    tables = len(project.interval_tables())
    return Fixed(
        count,
        count * FEW,
        tables,
        built.wall,
        built.spark,
        publish,
        entries,
        size,
        reading,
        nothing,
        peak_memory(project.spark),
    )


def _seconds(project: ScaleProject, sql: str) -> float:
    begin = time.monotonic()
    project.query(sql)
    return time.monotonic() - begin


def measure_files(project: ScaleProject, tasks: int) -> Files:
    """Copy fct_trips into many files, and plan a query on them.

    Args:
        project: a project whose server runs and whose trips are built.
        tasks: number of tasks that write. Each task writes one file for every month of its rows.
    """
    layout = "using delta partitioned by (pickup_month) tblproperties ('delta.checkpointInterval' = '1')"
    project.query(f"create or replace table {MANY} {layout} as select /*+ repartition({tasks}) */ * from {TRIPS}")
    log = project.path(MANY) / "_delta_log"
    count = sum("add" in action for action in read_actions(log))
    size = max(path.stat().st_size for path in log.glob("*.json"))
    # This commit makes Delta write a checkpoint.
    project.query(f"alter table {MANY} set tblproperties ('made.by' = 'bench')")
    checkpoint = sum(path.stat().st_size for path in log.rglob("*.parquet"))
    project.query("clear cache")
    first, again = _seconds(project, PLANNED), _seconds(project, PLANNED)
    cached = {item["id"]: item for item in project.status.get("storage/rdd") if "Delta" in item["name"]}
    newest = cached[max(cached)] if cached else {"memoryUsed": 0, "diskUsed": 0}
    project.query(f"drop table {MANY}")
    return Files(count, size, checkpoint, newest["memoryUsed"] + newest["diskUsed"], first, again)
