"""Whether a backfill's memory depends on the data: Spark's process with little heap, few rows and ten times as many."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

import yaml
from batch_project import LEDGER, Place
from batch_results import Memory, Peak

from penstock.lake import catalog
from penstock.lake.sample import SampleMonth, write_raw

HEAP = "1g"
MONTHS = [date(2022, month, 1) for month in (1, 2, 3)]
TWO = 2


def _peak(place: Place, words: str, months: int, rows: int) -> Peak:
    status = Path(f"/proc/{place.spark.pid}/status")
    if not status.exists():
        sys.exit("the peak of a process's memory is read from /proc, which only Linux has: leave out `memory`")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    driver = next(item for item in place.status.get("executors") if item["id"] == "driver")
    heap = int(driver["peakMemoryMetrics"]["JVMHeapMemory"])
    commits = place.query(f"select count(distinct batch_id) from {LEDGER} where model = 'fct_trips'")[0][0]
    return Peak(words, months, rows, int(commits), int(found[1]) * 1024, heap)


def _backfill(top: Path, rows: int) -> Peak:
    """`penstock backfill` of three months, from files of so many rows each."""
    with Place(top / f"memory-{rows}", HEAP) as place:
        dataset = catalog.load(place.folder).dataset("yellow")
        raw = place.folder / "raw"
        raw.mkdir()
        for month in MONTHS:
            write_raw(SampleMonth("yellow", month, rows, 1), raw / dataset.official_name(month))
        first, end = (f"{month:%Y-%m}" for month in (MONTHS[0], MONTHS[-1]))
        place.run("penstock", "backfill", "yellow", first, end, "--from", str(raw))
        return _peak(place, "`penstock backfill`", len(MONTHS), rows)


def _at_once(top: Path, rows: int) -> Peak:
    """Twelve months by one `dbt run`, two in a commit."""
    with Place(top / "memory-year", HEAP) as place:
        path = place.folder / "dbt_project.yml"
        project = yaml.safe_load(path.read_text())
        project["models"]["penstock"]["+intervals_per_commit"] = TWO
        path.write_text(yaml.safe_dump(project))
        place.land("2022-01..2022-12", 12 * rows, ["yellow"])
        place.run("dbt", "seed")
        place.run("dbt", "run")
        return _peak(place, f"`dbt run`, `intervals_per_commit: {TWO}`", 12, rows)


def measure(top: Path, rows: int) -> Memory:
    """Three months of so many rows, three of ten times as many, a year of them: each on a fresh server."""
    return Memory(HEAP, [_backfill(top, rows), _backfill(top, 10 * rows), _at_once(top, rows)])
