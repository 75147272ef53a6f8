"""Create the projects of benchmarks: copies of this project, or projects of a few files, each with its own server."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench.measure import ROOT, Finished, cpu_seconds, run_command
from penstock.config.settings import load
from penstock.intervals.ledger_table import TABLE
from penstock.plans.rest_api import MAX_EXECUTIONS, SparkRestApi
from penstock.report import warehouse_query
from penstock.spark.server import control
from penstock.spark.server.record import Record

CORES = 2
LEDGER = f"warehouse.{TABLE}"
COPIED = (
    *("dbt_project.yml", "lake.yml", "penstock.yml", "selectors.yml", "profiles"),
    *("models", "python_models", "macros", "seeds", "tests/data"),
)
GREEN_AND_YELLOW = ("green", "yellow")
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def copy_project(folder: Path) -> None:
    """Copy this project's files. The copy shares the jars and class-data archives."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    (folder / "profiles.yml").symlink_to("profiles/profiles.yml")
    _share_caches(folder)


def write_project(folder: Path, files: Mapping[str, str]) -> None:
    """Write a project of a few files, given as text by path. It shares this project's jars and class-data archives."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    _share_caches(folder)


def _share_caches(folder: Path) -> None:
    (folder / ".penstock").mkdir()
    for name in ("jars", "cds"):
        (ROOT / ".penstock" / name).mkdir(parents=True, exist_ok=True)
        (folder / ".penstock" / name).symlink_to(ROOT / ".penstock" / name)


def write_settings(folder: Path, memory: str, **more: Any) -> None:
    """Write penstock.yml for a server on two cores whose heap is `memory`. `more` has the other keys of the file."""
    server = {"memory": memory, "master": f"local[{CORES}]", **more.pop("server", {})}
    (folder / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": server, **more}))


def sample_command(
    months: str, rows: int, datasets: Iterable[str] = GREEN_AND_YELLOW, *options: str
) -> tuple[str, ...]:
    """Return the command that makes and lands synthetic rows.

    Args:
        months: a month, or a span as in 2024-01..2024-03.
        rows: number of rows in all months and datasets together.
        datasets: the datasets to make files of.
        options: more options of the command.
    """
    named = [word for name in datasets for word in ("--dataset", name)]
    return ("penstock", "sample", *named, "--months", months, "--rows", str(rows), *options)


def node_results(folder: Path) -> list[dict[str, Any]]:
    """Return dbt's results of the last command, one for each node."""
    results: list[dict[str, Any]] = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return results


@dataclass(frozen=True)
class Cost:
    """The cost of one command: wall seconds, CPU seconds of Spark's process, and CPU seconds of the command."""

    wall: float
    spark: float
    client: float


class Project:
    """A project whose server runs inside a `with` block.

    Args:
        folder: the project's folder, which must not exist yet.
        memory: heap size of Spark's process.
        files: the project's files, as text by path. By default, this project's files are copied.
    """

    def __init__(self, folder: Path, memory: str, files: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        if files is None:
            copy_project(folder)
        else:
            write_project(folder, files)
        write_settings(folder, memory)
        self.settings = load(folder)

    def __enter__(self) -> Project:
        self.server: Record = control.up(self.settings)
        self.status = SparkRestApi(self.server.ui_link)
        return self

    def __exit__(self, *error: object) -> None:
        control.down(self.settings)

    @property
    def spark(self) -> psutil.Process:
        """Return Spark's process."""
        process = self.server.spark and self.server.spark.handle()
        if not process:
            sys.exit(f"needed: Spark. found: it has ended. do: see {control.log_folder(self.settings)}")
        return process

    def run(self, *command: str) -> Cost:
        """Run a command in the project. End the benchmark if the command fails."""
        before = cpu_seconds(self.spark)
        finished: Finished = run_command(command, self.folder)
        return Cost(finished.wall, cpu_seconds(self.spark) - before, finished.cpu)

    def land(self, months: str, rows: int, datasets: Iterable[str] = GREEN_AND_YELLOW, seed: int = 1) -> None:
        """Make rows and land them. For the arguments, see `sample_command`."""
        self.run(*sample_command(months, rows, datasets, "--seed", str(seed)))

    def rebuild(self, first: str, end: str, *options: str) -> Cost:
        """Build the months from `first` to the day before `end`, whether or not they are stale."""
        return self.run("dbt", "run", "--event-time-start", first, "--event-time-end", end, *options)

    def results(self) -> list[dict[str, Any]]:
        """Return dbt's results of the last command, one for each node."""
        return node_results(self.folder)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return warehouse_query.run_query(self.settings, sql)

    def heap_peak(self) -> int:
        """Return the peak of the server's used heap that Spark reports, in bytes."""
        driver = next(item for item in self.status.get("executors") if item["id"] == "driver")
        return int(driver["peakMemoryMetrics"]["JVMHeapMemory"])

    def interval_tables(self) -> list[str]:
        """Return the tables that the run ledger lists."""
        return sorted(str(name) for (name,) in self.query(f"select distinct relation from {LEDGER}"))

    def table_versions(self) -> int:
        """Return the sum of the newest Delta versions of the tables in `interval_tables`."""
        tables = self.interval_tables()
        return sum(int(self.query(f"describe history {name} limit 1")[0][0]) for name in tables)

    def last_job(self) -> int:
        """Return the number of the newest Spark job."""
        return max((int(job["jobId"]) for job in self.status.get("jobs")), default=-1)

    def jobs_since(self, job: int) -> tuple[int, int]:
        """Return the number of Spark jobs after a job, and how many of them belong to statements that scan trips.

        A statement scans trips if its plan scans a table of the lake or a table in `interval_tables`.
        """
        # Listed before the query of the run ledger below, because that query starts jobs too.
        jobs = {int(item["jobId"]) for item in self.status.get("jobs")}
        tables = "|".join(re.escape(name) for name in self.interval_tables())
        scans = re.compile(rf"Scan parquet spark_catalog\.(lake\.(?!manifest)\w+|{tables})\b")
        new, scanning = {item for item in jobs if item > job}, 0
        for item in self.status.get(f"sql?details=false&planDescription=false&length={MAX_EXECUTIONS}"):
            own = new & set(item["successJobIds"])
            if own and scans.search(self.status.get(f"sql/{item['id']}?planDescription=true")["planDescription"]):
                scanning += len(own)
        return len(new), scanning
