"""Measure the memory of Spark's process in backfills with a small heap: of few rows, and of ten times as many."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

from bench.batch_results import Memory, Peak
from bench.measure import peak_memory
from bench.projects import LEDGER, Project
from penstock.lake import catalog
from penstock.lake.sample import SampleMonth, write_raw

HEAP = "1g"
MONTHS = [date(2022, month, 1) for month in (1, 2, 3)]
PER_COMMIT = 2


def _peak(project: Project, label: str, months: int, rows: int) -> Peak:
    commits = project.query(f"select count(distinct batch_id) from {LEDGER} where model = 'fct_trips'")[0][0]
    return Peak(label, months, rows, int(commits), peak_memory(project.spark), project.heap_peak())


def _backfill(folder: Path, rows: int) -> Peak:
    """Run `penstock backfill` of three months, each from a file of `rows` rows."""
    with Project(folder / f"memory-{rows}", HEAP) as project:
        dataset = catalog.load(project.folder).dataset("yellow")
        raw = project.folder / "raw"
        raw.mkdir()
        for month in MONTHS:
            write_raw(SampleMonth("yellow", month, rows, 1), raw / dataset.official_name(month))
        first, end = (f"{month:%Y-%m}" for month in (MONTHS[0], MONTHS[-1]))
        project.run("penstock", "backfill", "yellow", first, end, "--from", str(raw))
        return _peak(project, "`penstock backfill`", len(MONTHS), rows)


def _one_run(folder: Path, rows: int) -> Peak:
    """Build twelve months by one `dbt run`, two months in each commit."""
    with Project(folder / "memory-year", HEAP) as project:
        path = project.folder / "dbt_project.yml"
        settings = yaml.safe_load(path.read_text())
        settings["models"]["penstock"]["+intervals_per_commit"] = PER_COMMIT
        path.write_text(yaml.safe_dump(settings))
        project.land("2022-01..2022-12", 12 * rows, ["yellow"])
        project.run("dbt", "seed")
        project.run("dbt", "run")
        return _peak(project, f"`dbt run`, `intervals_per_commit: {PER_COMMIT}`", 12, rows)


def measure(folder: Path, rows: int) -> Memory:
    """Backfill months of few rows, months of ten times as many, and a whole year, each on a new server."""
    return Memory(HEAP, [_backfill(folder, rows), _backfill(folder, 10 * rows), _one_run(folder, rows)])
