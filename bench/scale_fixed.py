"""What months and files cost whatever is in them: many months of few rows, and trips in many small files."""

from __future__ import annotations

import time
from pathlib import Path

from main_job import run
from scale_project import BUILD, Site, actions
from scale_results import TRIPS, Files, Fixed
from scale_watch import peak

from penstock.lake.manifest import Manifest

BEGIN_YEAR, YEAR = 2002, 12
# Rows of each made month; of its two datasets one gets at least a row.
FEW = 100
MANY = "warehouse.many_files"
PLANNED = f"explain select count(*) from {MANY} where pickup_zone_id = 74"


def months(site: Site, count: int) -> Fixed:
    """Land so many months of few rows, years of them, and build them; then with nothing to do.

    Args:
        site: up and warm.
        count: months, whole years.
    """
    end = BEGIN_YEAR + count // YEAR - 1
    words = f"{BEGIN_YEAR}-01..{end}-12"
    sample = ("--dataset", "green", "--dataset", "yellow", "--months", words, "--rows", str(count * FEW))
    run(site.folder, "penstock", "sample", *sample)
    built, _, _ = site.build()
    hook = next(item for item in site.results() if item["unique_id"].startswith("operation."))
    publish = float(hook["execution_time"])
    manifest, begin = Manifest(site.settings.lake_dir), time.monotonic()
    entries = len(manifest.entries())
    reading = time.monotonic() - begin
    size = sum(path.stat().st_size for path in Path(str(manifest.log_dir)).glob("*.json"))
    nothing = site.run(*BUILD, *site.models, "--exclude-resource-type", "seed").wall
    tables = len(site.interval_tables())
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
        peak(site.spark),
    )


def _seconds(site: Site, sql: str) -> float:
    begin = time.monotonic()
    site.query(sql)
    return time.monotonic() - begin


def files(site: Site, tasks: int) -> Files:
    """A copy of fct_trips that so many tasks write, each a file for every month it has rows of.

    Args:
        site: up, its trips built.
    """
    layout = "using delta partitioned by (pickup_month) tblproperties ('delta.checkpointInterval' = '1')"
    site.query(f"create or replace table {MANY} {layout} as select /*+ repartition({tasks}) */ * from {TRIPS}")
    log = site.path(MANY) / "_delta_log"
    count = sum("add" in action for action in actions(log))
    size = max(path.stat().st_size for path in log.glob("*.json"))
    # The next commit writes a checkpoint.
    site.query(f"alter table {MANY} set tblproperties ('made.by' = 'bench')")
    checkpoint = sum(path.stat().st_size for path in log.rglob("*.parquet"))
    site.query("clear cache")
    first, again = _seconds(site, PLANNED), _seconds(site, PLANNED)
    cached = {item["id"]: item for item in site.status.get("storage/rdd") if "Delta" in item["name"]}
    newest = cached[max(cached)] if cached else {"memoryUsed": 0, "diskUsed": 0}
    site.query(f"drop table {MANY}")
    return Files(count, size, checkpoint, newest["memoryUsed"] + newest["diskUsed"], first, again)
