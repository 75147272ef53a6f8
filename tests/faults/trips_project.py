"""The checkout's dbt project under faults: months in two versions, killed runs, checksums of tables."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psutil

from penstock.lake.catalog import load as load_catalog
from penstock.lake.landing import land
from penstock.lake.sample import SampleMonth, write_raw
from penstock.lake.source_files import local_file
from penstock.spark.server import control
from tests.support.forked_commands import Started
from tests.support.polling import LIMIT
from tests.support.projects import INTERPRETED, Project, make_project

WAIT = LIMIT
DISK = 512  # MiB
MONTHS = ("2023-01", "2023-02", "2023-03")
ROWS = {"green": 900, "yellow": 1500, "fhvhv": 600}
# Interval column and a numeric column of each interval model.
TABLES = {
    "intermediate.int_trips_checked": ("file_month", "total_amount"),
    "intermediate.int_fhvhv_trips_checked": ("file_month", "fare_amount"),
    "warehouse.fct_trips": ("pickup_month", "total_amount"),
    "warehouse.monthly_zone_revenue": ("revenue_month", "revenue_monthly_total_amount"),
    "warehouse.hourly_zone_revenue": ("pickup_month", "green_amount + yellow_amount"),
    "warehouse.fhvhv_zone_pickups": ("pickup_month", "pickups"),
    "warehouse.quality_report": ("month", "`rows`"),
    "warehouse.zone_pair_monthly": ("pickup_month", "fare_amount"),
    "warehouse.trip_features": ("pickup_month", "fare_amount"),
}
# Datasets that change their version; the tables of the third dataset must not change.
CHANGING = ("green", "yellow")
Sums = dict[tuple[str, str], tuple[Any, ...]]
INCREMENTAL = ("run", "--select", "config.materialized:incremental", "--exclude", "tag:ml")


def raw(folder: Path, version: int, dataset: str, month: str) -> Path:
    """Return the raw file of a month in a version; versions have the same file name and other trips."""
    path = folder / f"v{version}" / f"{dataset}_tripdata_{month}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        first = date.fromisoformat(f"{month}-01")
        write_raw(SampleMonth(dataset, first, ROWS[dataset] + 100 * version, seed=version), path)
    return path


@dataclass
class Trips:
    """The project with its lake, and the checksums of its tables after undisturbed runs.

    Attributes:
        files: folder of the raw files of both versions.
        clean: checksums of every table after undisturbed runs, by version of the last month.
        seconds: how long an undisturbed run of one month takes.
        version: live version of the last month.
        seen: (rows, amount) of the last month in either version, by table.
        tables: the tables to compare.
        has_disk: whether the warehouse is on its own file system.
    """

    project: Project
    files: Path
    clean: dict[int, Sums] = field(default_factory=dict)
    seconds: float = 20.0
    version: int = 0
    has_disk: bool = False
    seen: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    tables: tuple[str, ...] = tuple(TABLES)
    _checksums: str = ""

    def land(self, version: int, month: str = MONTHS[-1], datasets: tuple[str, ...] = CHANGING) -> None:
        """Land a month in a version, without the command line."""
        catalog = load_catalog(self.project.root)
        for dataset in datasets:
            path = raw(self.files, version, dataset, month)
            file = local_file(path, path.name, str(path))
            first = date.fromisoformat(f"{month}-01")
            land(catalog, catalog.dataset(dataset), first, file, self.project.settings.lake_dir)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a dbt command that must succeed."""
        done = self.project.dbt(*(arguments or ("run",)))
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done

    def begin(self, *arguments: str) -> Started:
        """Start a dbt command in the background."""
        return self.project.start("dbt", *arguments)

    def begin_program(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program in the background through its entry point."""
        options = ("--no-use-colors",) if program == "dbt" else ()
        return subprocess.Popen(
            [str(Path(sys.executable).parent / program), *options, *arguments],
            cwd=self.project.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def sums(self) -> Sums:
        """Return the number of rows and a checksum over all columns except run_id, by table and month."""
        if not self._checksums:
            self._checksums = " union all ".join(self._checksum(table) for table in self.tables)
        rows = self.project.sql(self._checksums)
        return {(str(row[0]), str(row[1])): tuple(map(str, row[2:])) for row in rows}

    def _checksum(self, table: str) -> str:
        """Return the query of a table's checksums; doubles are rounded: a mean depends on the order of its rows."""
        described = [(str(row[0]), str(row[1])) for row in self.project.sql(f"describe {table}")]
        end = next((at for at, (name, _) in enumerate(described) if not name or name.startswith("#")), None)
        columns = ", ".join(
            f"round({name}, 6)" if kind == "double" else f"`{name}`"
            for name, kind in described[:end]
            if name != "run_id"
        )
        return (
            f"select '{table}', cast({TABLES[table][0]} as string), count(*), bit_xor(xxhash64({columns})), "
            f"sum(cast(crc32(to_json(struct({columns}))) as decimal(38, 0))) from {table} group by all"
        )

    def change(self) -> int:
        """Land the last month in its other version and return that version."""
        self.version = 1 - self.version
        self.land(self.version)
        return self.version

    def is_clean(self) -> bool:
        """Return whether every table equals that of an undisturbed run."""
        return self.sums() == self.clean[self.version]

    def server(self, part: str) -> psutil.Process:
        """Return a process of the server: spark or metastore."""
        running = control.current(self.project.settings)
        assert running
        found = getattr(running, part)
        assert found
        return psutil.Process(found.pid)


def make(root: Path) -> Trips:
    """Build three months, and record the checksums of both versions of the last one."""
    # Tests vacuum files without a retention time, which Delta refuses by default.
    conf = {**INTERPRETED, "spark.databricks.delta.retentionDurationCheck.enabled": "false"}
    trips = Trips(make_project(root / "project", memory="2g", spark_conf=conf), root / "raw")
    warehouse = trips.project.settings.warehouse_dir
    warehouse.mkdir()
    # A separate file system, which a test can fill. Only root can mount one.
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", str(warehouse)]
    trips.has_disk = subprocess.run(mount, capture_output=True).returncode == 0
    profile = trips.project.root / "profiles" / "profiles.yml"
    profile.write_text(profile.read_text().replace("threads: 3", "threads: 3\n      keep_plans: false"))
    for month in MONTHS[:-1]:
        trips.land(0, month, tuple(ROWS))
    trips.land(0, datasets=("fhvhv",))
    trips.land(1)
    trips.run("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    trips.clean[1] = trips.sums()
    Reader(trips).allow()
    trips.land(0)
    began = time.monotonic()
    trips.run(*INCREMENTAL)
    trips.seconds = time.monotonic() - began
    # A full refresh must give the same rows.
    trips.run(*INCREMENTAL, "--full-refresh")
    trips.clean[0] = trips.sums()
    Reader(trips).allow()
    assert trips.clean[0].keys() == trips.clean[1].keys()
    return trips


def kill_and_wait(process: psutil.Process) -> None:
    """Kill a process and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    psutil.wait_procs([process], timeout=30)


class Reader(threading.Thread):
    """A client that reads all the time and checks that it always sees one whole version of a month.

    Args:
        trips: the project.
        month: the month that changes.
    """

    def __init__(self, trips: Trips, month: str = MONTHS[-1]) -> None:
        super().__init__(daemon=True)
        self._trips, self._month, self._over = trips, f"{month}-01", threading.Event()
        self.reads, self.wrong = 0, []  # type: int, list[tuple[Any, ...]]
        day = f"date'{self._month}'"
        parts = [
            f"select '{table}', count(*), cast(sum({amount}) as string) from {table} where {column} = {day}"
            for table, (column, amount) in TABLES.items()
        ]
        self._sql = " union all ".join(parts)

    def allow(self) -> None:
        """Allow the rows that the tables have now."""
        for table, rows, amount in self._trips.project.sql(self._sql):
            self._trips.seen.setdefault(table, set()).add((str(rows), str(amount)))

    def run(self) -> None:
        """Read until `stop`; wait while the server is down."""
        while not self._over.wait(1.0):
            try:
                rows = self._trips.project.sql(self._sql)
            except Exception:
                continue
            self.reads += 1
            self.wrong += [row for row in rows if (str(row[1]), str(row[2])) not in self._trips.seen[row[0]]]

    def stop(self) -> None:
        """Stop reading."""
        self._over.set()
        self.join(60)


def moments(seed: int, count: int, seconds: float) -> list[float]:
    """Return seeded random moments of a run, from shortly after its start to shortly before its end."""
    chosen = random.Random(seed)
    return [round(chosen.uniform(0.2, 0.95) * seconds, 2) for _ in range(count)]
