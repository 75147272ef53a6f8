"""Measure `penstock diff` on two tables of an interval model, beside a full outer join by DuckDB on the same files.

    .venv/bin/python bench/run.py diff [--rows 5000000] [--write-docs]

The benchmark lands synthetic rides of twelve months, and builds the same interval model in two targets. It measures
these steps, each as the whole command, and then as the comparison in an open session:

* skipped: all intervals are equal by their fingerprints.
* equal: all rows are compared (`--full`), and are equal.
* few: one interval has changed rows.
* many: one row in a hundred has changed, in all intervals.

DuckDB joins the current parquet files of both tables by key, and counts the rows that are added, removed and changed.
The benchmark ends if the counts differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from bench.diff_project import COLUMNS, FILES, KEY, MONTHS, TABLE, write_months
from bench.measure import cpu_seconds, run_command
from bench.projects import CORES, Project
from bench.report import DOCS, MILLION, Page, Report, format_rows, spark_version, table
from penstock.diff.comparison import Comparison
from penstock.diff.dbt_tables import DbtTable, Selection, read_tables
from penstock.diff.request import Bounds
from penstock.report.warehouse_query import open_session

PAGES = (Page(DOCS / "how-to" / "diff.md", "made by bench/diff.py", ("",)),)
MEMORY = "2g"
# What differs in each step: a condition that selects the rows to change, and whether intervals are skipped.
STEPS = {
    "skipped": ("", False),
    "equal": ("", True),
    "few": ("month = date'2024-03-01' and id % 1000 = 7", True),
    "many": ("id % 100 = 7", True),
}


@dataclass(frozen=True)
class Cost:
    """The cost of one step.

    Attributes:
        command: wall seconds of `penstock diff`.
        wall: wall seconds of the comparison in an open session.
        cpu: CPU seconds of Spark during this comparison.
        peer_wall, peer_cpu: wall and CPU seconds of DuckDB's whole process.
    """

    command: float
    wall: float
    cpu: float
    peer_wall: float
    peer_cpu: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, default=5 * MILLION, help="rows of each table")


def build(project: Project, rows: int) -> None:
    """Land the months, and build the model in both targets."""
    write_months(project.folder / "raw", rows)
    project.run("penstock", "land", "rides", f"{MONTHS[0]}..{MONTHS[-1]}", "--from", "raw")
    for target in ("prod", "dev"):
        project.run("dbt", "run", "--target", target)


def parquet_files(project: Project, schema: str) -> list[str]:
    """Return the current data files of a table."""
    rows = project.query(f"select distinct _metadata.file_path from {schema}.{TABLE}")
    return [str(path).removeprefix("file://").removeprefix("file:") for (path,) in rows]


def peer_query(before: list[str], after: list[str]) -> str:
    """Return DuckDB's query: the numbers of added, removed and changed rows."""
    changed = " or ".join(f"b.{name} is distinct from a.{name}" for name in COLUMNS)
    return (
        f"set threads = {CORES}; select count_if(b.{KEY} is null), count_if(a.{KEY} is null), "
        f"count_if(b.{KEY} is not null and a.{KEY} is not null and ({changed})) "
        f"from read_parquet({before}) b full outer join read_parquet({after}) a using ({KEY})"
    )


def run_peer(project: Project) -> tuple[tuple[int, ...], float, float]:
    """Return DuckDB's counts, and its wall and CPU seconds."""
    sql = peer_query(parquet_files(project, "prod"), parquet_files(project, "dev"))
    script = f"import duckdb, json; print(json.dumps(duckdb.connect().execute({sql!r}).fetchall()[0]))"
    finished = run_command((sys.executable, "-c", script), project.folder)
    return tuple(json.loads(finished.output.splitlines()[-1])), finished.wall, finished.cpu


def measure_step(project: Project, model: DbtTable, full: bool) -> Cost:
    """Compare by the command, in an open session, and by DuckDB. End the benchmark if the counts differ."""
    options = ["--full"] if full else []
    command = project.run("penstock", "diff", "--against", "prod", "--exit-zero", *options).wall
    with open_session(project.settings) as run_query:
        comparison = Comparison(run_query, "dev", "prod", bounds=Bounds(full=full))
        cpu, begin = cpu_seconds(project.spark), time.monotonic()
        changes = comparison.compare(model).changes
        wall = time.monotonic() - begin
        cpu = cpu_seconds(project.spark) - cpu
    counts, peer_wall, peer_cpu = run_peer(project)
    if counts != (ours := (changes.added, changes.removed, changes.changed)):
        sys.exit(f"needed: the same counts by both. found: penstock {ours}, DuckDB {counts}. do: compare the queries")
    return Cost(command, wall, cpu, peer_wall, peer_cpu)


def report(costs: Mapping[str, Cost], rows: int) -> Report:
    """Return the table of the steps below a line with the conditions of the measurement."""
    heads = ["step", "command, s", "comparison, s", "million rows/s", "Spark, CPU s", "DuckDB, CPU s", "CPU ratio"]
    cells = [
        [
            name,
            f"{cost.command:.1f}",
            f"{cost.wall:.1f}",
            f"{rows / MILLION / cost.wall:.2f}",
            f"{cost.cpu:.1f}",
            f"{cost.peer_cpu:.1f}",
            f"{cost.cpu / cost.peer_cpu:.1f}",
        ]
        for name, cost in costs.items()
    ]
    lines = table(heads, cells)
    intro = (
        f"Two tables of {format_rows(rows)} rows and {len(COLUMNS) + 1} columns, {CORES} cores; {spark_version()}, "
        f"{MEMORY} of heap; DuckDB {version('duckdb')}; {date.today()}."
    )
    return Report([intro, "", *lines], {"": [intro, "", *lines]})


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Build both tables, then change rows of one of them before each step."""
    costs = {}
    with Project(folder / "project", MEMORY, FILES) as project:
        build(project, options.rows)
        (model,) = read_tables(project.settings, ("dev", "prod"), Selection())
        for name, (where, full) in STEPS.items():
            if where:
                project.query(f"update dev.{TABLE} set fare = fare + 0.01 where {where}")
            costs[name] = measure_step(project, model, full)
            print(f"{name}: {costs[name]}", flush=True)
    return report(costs, options.rows)
