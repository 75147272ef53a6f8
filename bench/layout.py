"""Measure the gain from physical design: the same query on good and on careless layouts, in turns, as ratios.

    .venv/bin/python bench/run.py layout [--trips 25000000] [--keep DIR] [--write-docs]

The benchmark makes trips with `penstock sample`, writes them in several layouts on a server with two cores, and runs
the variants of each query in turns. After one round to warm up, it takes medians. The files, bytes and exchanges that
explain the seconds come from Spark's REST API.

--keep keeps the data in a folder, where later runs reuse it. With `--rounds 0` such a run only shows the last results.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from bench import layout_tables
from bench.layout_queries import CLUSTERED, COMPARISONS, COUNTING, FLAT, GOOD, NONE, SHOWN, SMALL, Variant
from bench.layout_tables import Measured, Results, Table
from bench.measure import parse_metric, run_command
from bench.projects import CORES, copy_project, sample_command, write_settings
from bench.report import DOCS, Page, Report
from penstock.config.settings import load
from penstock.plans import plan_store
from penstock.plans.rest_api import SparkRestApi
from penstock.spark.server import control

EXPLANATION = DOCS / "explanation"
PAGES = tuple(
    Page(EXPLANATION / f"{page}.md", "layout: ", blocks)
    for page, blocks in {
        "physical-design": ("figures", "tables"),
        "reading-plans": ("plan monthly_zone_revenue", "groups"),
        "joins": ("plan broadcast", "plan merge", "plan hourly_zone_revenue"),
        "adaptive-execution": ("plan adapted", "plan skew"),
        "partitions-and-files": ("plan pruned", "plan clustered"),
    }.items()
)
MEMORY, MONTHS = "5g", "2024-01..2024-12"
MODELS = ("monthly_zone_revenue", "hourly_zone_revenue")
DELTA = "spark.databricks.delta."
# fct_trips without the checks that need a window, because this benchmark doesn't measure these checks.
TRIPS = """
select
    md5(concat_ws('|', service_type, cast(file_month as string), cast(source_row as string))) as trip_id,
    file_month as pickup_month, * except (file_month, source_row, store_and_fwd_flag, trip_type, ehail_fee)
from (select * from staging.stg_green_trips union all select * from staging.stg_yellow_trips)
where pickup_at >= file_month and pickup_at < add_months(file_month, 1) and pickup_zone_id between 1 and 265
"""


class Layouts:
    """A project with a table for each layout, and its server. Steps that were already done in the folder are skipped.

    Args:
        folder: the project's folder.
        trips: number of rows to make.
        target: size of a well-sized file, in MB.
    """

    def __init__(self, folder: Path, trips: int, target: int) -> None:
        self.folder, self.trips, self.target = folder, trips, target

    def once(self, name: str, step: Callable[[], Any]) -> None:
        """Do a step and record it as done, unless it is recorded already."""
        record = self.folder / "done" / name
        if record.exists():
            return
        begin = time.monotonic()
        step()
        record.parent.mkdir(exist_ok=True)
        record.touch()
        print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)

    def run(self, *command: str) -> None:
        """Run a command in the project."""
        run_command(command, self.folder)

    def start(self) -> None:
        """Copy the project, make the lake, and start the server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.once("project", lambda: copy_project(self.folder))
        write_settings(self.folder, MEMORY)
        self.once("lake", lambda: self.run(*sample_command(MONTHS, self.trips, ("yellow", "green"))))
        self.server = control.up(load(self.folder))
        self.status = SparkRestApi(self.server.ui_link)

    @contextmanager
    def session(self, settings: Mapping[str, str] = NONE) -> Iterator[Any]:
        """Yield a cursor of a new session with some settings."""
        connection = self.server.connect()
        try:
            cursor = connection.cursor()
            for key, value in settings.items():
                cursor.execute(f"set {key}={value}")
            yield cursor
        finally:
            connection.close()

    def sql(self, statement: str, settings: Mapping[str, str] = NONE) -> None:
        """Run a statement in a new session."""
        with self.session(settings) as cursor:
            cursor.execute(statement)

    def write_tables(self) -> None:
        """Write the table of each layout, and build models of this project on the good layout."""
        models = ("--select", "dim_zones", "stg_green_trips", "stg_yellow_trips")
        self.once("seeds", lambda: self.run("dbt", "seed"))
        self.once("views", lambda: self.run("dbt", "run", *models))
        # target_file_size(mb) sets these for the session that writes. Shuffled rows are twice as wide as rows in files.
        optimized = {
            f"{DELTA}optimizeWrite.enabled": "true",
            f"{DELTA}optimizeWrite.binSize": f"{2 * self.target}m",
            f"{DELTA}optimize.maxFileSize": str(self.target * 2**20),
            f"{DELTA}optimize.minFileSize": str(self.target * 2**18),
        }
        self.once("schema", lambda: self.sql("create schema if not exists bench"))
        self._table(GOOD, "partitioned by (pickup_month)", TRIPS, optimized)
        count = max(1, round(self.files(GOOD).bytes / self.target / 2**20))
        rows = f"select {{}} * from {GOOD}"
        self._table(FLAT, "", rows.format(f"/*+ repartition({count}, trip_id) */"))
        self._table(SMALL, "partitioned by (pickup_month)", rows.format("/*+ repartition(200) */"))
        self._table(CLUSTERED, "cluster by (pickup_zone_id)", rows.format(""), optimized)
        self.once("optimize", lambda: self.sql(f"optimize {CLUSTERED}", optimized))
        self.once("models", lambda: self.run("dbt", "run", "--select", *MODELS))

    def _table(self, name: str, layout: str, select: str, settings: Mapping[str, str] = NONE) -> None:
        create = f"create or replace table {name} using delta {layout} as {select}"
        self.once(name, lambda: self.sql(create, settings))

    def files(self, name: str) -> Table:
        """Return the number and bytes of a table's files."""
        with self.session() as cursor:
            cursor.execute(f"describe detail {name}")
            detail = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        return Table(detail["numFiles"], detail["sizeInBytes"])

    def execute(self, variant: Variant, settings: Mapping[str, str] = NONE) -> Measured:
        """Run a query, and return its wall seconds and how Spark executed it.

        Args:
            variant: the query.
            settings: settings of the session, in addition to those of the variant.
        """
        token = f"layout {time.time_ns()}"
        with self.session({**variant.settings, **settings}) as cursor:
            begin = time.monotonic()
            cursor.execute(f"/* {token} */ {variant.sql}")
            cursor.fetchall()
            seconds = time.monotonic() - begin
        # The client gets its rows a moment before the UI has the statement.
        for _ in range(100):
            if executed := self.status.executed_plan(lambda text: token in text):
                return Measured(variant.label.format(target=self.target), variant.table, seconds, executed)
            time.sleep(0.1)
        raise SystemExit(f"needed: {variant.label} in Spark's REST API. found: none. do: see the server's log")

    def compare(self, variants: tuple[Variant, ...], rounds: int) -> list[Measured]:
        """Run the variants in turns, and return the median of each."""
        seconds: list[list[float]] = [[] for _ in variants]
        for _ in range(rounds + 1):
            for variant, taken in zip(variants, seconds, strict=True):
                taken.append(self.execute(variant).seconds)
        return [
            replace(self.execute(variant, COUNTING), seconds=statistics.median(taken[1:]))
            for variant, taken in zip(variants, seconds, strict=True)
        ]

    def measure(self, rounds: int) -> Results:
        """Measure all comparisons, and run the queries whose plans the docs show."""
        measured = {}
        for name, variants in COMPARISONS.items():
            measured[name] = self.compare(variants, rounds)
            print(f"{name}: " + ", ".join(f"{item.seconds:.2f} s" for item in measured[name]), flush=True)
        shown = {name: self.execute(variant) for name, variant in SHOWN.items()}
        tables = {name: self.files(name) for name in (GOOD, FLAT, CLUSTERED, SMALL)}
        captured = {name: plan_store.read(self.folder / "target", f"model.penstock.{name}") for name in MODELS}
        models = {name: plan.executed for name, plan in captured.items() if plan and plan.executed}
        rows = parse_metric(shown["few groups"].metrics("Scan parquet", "number of output rows")[0])
        return Results(self.trips, rows, rounds, CORES, MEMORY, f"{date.today()}", measured, shown, tables, models)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--trips", type=int, default=25_000_000, help="trips that are made")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the one that warms up")
    parser.add_argument("--target", type=int, default=64, help="MB of a well-sized file")
    parser.add_argument("--keep", type=Path, help="folder that keeps the data for the next run")


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Write the tables and measure. Without rounds, read the last results."""
    top = (options.keep or folder).resolve()
    layouts = Layouts(top / f"{options.trips}-{options.target}", options.trips, options.target)
    last = layouts.folder / "results.json"
    try:
        if options.rounds:
            layouts.start()
            layouts.write_tables()
            last.write_text(json.dumps(asdict(layouts.measure(options.rounds))))
    finally:
        control.down(load(layouts.folder))
    return layout_tables.report(layout_tables.read(json.loads(last.read_text())))
