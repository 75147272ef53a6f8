"""A project of the bench's own and its server: what a command costs there, and what Spark did for it.

What a command costs is told three ways: seconds on the wall, which other work on the machine lengthens;
CPU seconds of Spark's process, which it hardly does; CPU seconds of the command itself.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from main_job import BIN, ROOT, project

from penstock.config.settings import load
from penstock.intervals.ledger_rows import TABLE
from penstock.plans.rest_api import MAX_EXECUTIONS, SparkRestApi
from penstock.report import warehouse_query
from penstock.spark.server import control
from penstock.spark.server.record import Record

CORES = 2
LEDGER = f"warehouse.{TABLE}"


@dataclass(frozen=True)
class Cost:
    """What one command took: seconds on the wall, CPU seconds of Spark's process, and of the command."""

    wall: float
    spark: float
    client: float


class Place:
    """A project in a folder of its own.

    Args:
        folder: made when it isn't there.
        memory: heap of the server's Spark.
        files: the project's files, text by path; without, this project's own are copied.
    """

    def __init__(self, folder: Path, memory: str, files: dict[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        if files is None:
            project(folder)
        else:
            self._write(files)
        server = {"memory": memory, "master": f"local[{CORES}]"}
        (folder / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": server}))
        self.settings = load(folder)

    def _write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        shutil.copy(ROOT / "lake.yml", self.folder)
        (self.folder / ".penstock").mkdir()
        for shared in ("jars", "cds"):
            (self.folder / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)

    def __enter__(self) -> Place:
        self.server: Record = control.up(self.settings)
        self.status = SparkRestApi(self.server.ui_link)
        return self

    def __exit__(self, *error: object) -> None:
        control.down(self.settings)

    @property
    def spark(self) -> psutil.Process:
        """Spark's process."""
        found = self.server.spark and self.server.spark.handle()
        if not found:
            sys.exit(f"Spark has ended: see {control.log_folder(self.settings)}")
        return found

    def run(self, *command: str) -> Cost:
        """Run a command in the folder; end the bench with its last words when it fails."""
        spark, own, begin = _cpu(self.spark), _children(), time.monotonic()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DBT_", "PENSTOCK_"))}
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.folder,
            env={**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        cost = Cost(time.monotonic() - begin, _cpu(self.spark) - spark, _children() - own)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
        return cost

    def land(self, months: str, rows: int, datasets: Iterable[str] = ("green", "yellow"), seed: int = 1) -> None:
        """Make rows and land them: `months` as in 2024-01..2024-03, rows in all."""
        named = [word for name in datasets for word in ("--dataset", name)]
        self.run("penstock", "sample", *named, "--months", months, "--rows", str(rows), "--seed", str(seed))

    def rebuild(self, first: str, end: str, *options: str) -> Cost:
        """`dbt run` of the months from the first day named to the day before the end, changed or not."""
        return self.run("dbt", "run", "--event-time-start", first, "--event-time-end", end, *options)

    def results(self) -> list[dict[str, Any]]:
        """What the last dbt run said of each of its nodes."""
        found: list[dict[str, Any]] = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        return found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        return warehouse_query.run_query(self.settings, sql)

    def interval_tables(self) -> list[str]:
        """The tables that the ledger knows."""
        return sorted(str(name) for (name,) in self.query(f"select distinct relation from {LEDGER}"))

    def versions(self) -> dict[str, int]:
        """The newest Delta version of each of them."""
        return {name: int(self.query(f"describe history {name} limit 1")[0][0]) for name in self.interval_tables()}

    def last_job(self) -> int:
        """The number of the newest Spark job."""
        return max((int(job["jobId"]) for job in self.status.get("jobs")), default=-1)

    def jobs_since(self, job: int) -> tuple[int, int]:
        """Spark jobs after one: all of them, and those of statements that scan trips.

        Those are statements whose plan scans a table of the lake or one that is built by interval.
        """
        # Listed before the ledger is asked, which takes jobs of its own.
        jobs = {int(item["jobId"]) for item in self.status.get("jobs")}
        tables = "|".join(re.escape(name) for name in self.interval_tables())
        scans = re.compile(rf"Scan parquet spark_catalog\.(lake\.(?!manifest)\w+|{tables})\b")
        new, reading = {item for item in jobs if item > job}, 0
        for item in self.status.get(f"sql?details=false&planDescription=false&length={MAX_EXECUTIONS}"):
            own = new & set(item["successJobIds"])
            if own and scans.search(self.status.get(f"sql/{item['id']}?planDescription=true")["planDescription"]):
                reading += len(own)
        return len(new), reading


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
