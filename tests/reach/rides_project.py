"""A small project that lands, builds, tests and replaces a month in the same way on every target."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import yaml

from penstock.config.settings import Settings, load
from penstock.lake.sample import SampleMonth, write_raw
from penstock.spark.server import control
from tests.reach.processes import is_executor
from tests.support import spark_ui
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import BRIEF, INTERPRETED, QUICK, ROOT, Project

MONTHS = ("2023-01", "2023-02")
ROWS = 400
FILES = {
    "dbt_project.yml": """
name: rides
version: 1.0.0
profile: rides
on-run-start: ["{{ penstock_sync_lake() }}"]
models: {rides: {+incremental_strategy: interval}}
flags: {send_anonymous_usage_stats: false}
""",
    "models/sources.yml": """
sources:
  - name: lake
    schema: lake
    config: {event_time: file_month}
    tables: [{name: green}, {name: manifest}]
models:
  - name: rides
    columns:
      - {name: ride_id, data_tests: [unique, not_null]}
      - name: pickup_zone_id
        data_tests: [{relationships: {arguments: {to: ref('zones'), field: zone_id}}}]
  - name: zone_months
    columns: [{name: rides, data_tests: [not_null]}]
""",
    "models/rides.sql": """
{{ config(materialized='incremental', event_time='file_month', partition_by=['file_month']) }}
select
    concat(source_file, ':', source_row) as ride_id, pulocationid as pickup_zone_id, lpep_pickup_datetime as pickup_at,
    trip_distance, total_amount, file_month
from {{ source('lake', 'green') }}
""",
    "models/zone_months.sql": """
{{ config(materialized='table') }}
select zone.borough, ride.file_month, count(*) as rides, sum(ride.total_amount) as amount
from {{ ref('rides') }} as ride
inner join {{ ref('zones') }} as zone on ride.pickup_zone_id = zone.zone_id
group by zone.borough, ride.file_month
""",
    "models/fast_rides.py": """
import pandas as pd


def marked(batches):
    for frame in batches:
        yield frame.assign(is_far=frame["trip_distance"] > 2)


def model(dbt, session):
    dbt.config(materialized="incremental", event_time="file_month")
    rides = dbt.ref("rides").select("ride_id", "trip_distance", "file_month")
    return rides.repartition(2, "file_month").sortWithinPartitions("ride_id").mapInPandas(
        marked, "ride_id string, trip_distance double, file_month date, is_far boolean"
    )
""",
    "models/rides_by_zone.py": """
def model(dbt, session):
    dbt.config(materialized="table", submission_method="spark_submit")
    zones = dbt.ref("rides").select("pickup_zone_id").rdd.map(lambda row: (row.pickup_zone_id, 1))
    return session.createDataFrame(zones.reduceByKey(lambda a, b: a + b), "zone_id int, rides bigint")
""",
    "models/rides_by_zone.yml": f"""
models:
  - name: rides_by_zone
    config: {{spark_conf: {{spark.driver.extraJavaOptions: "{BRIEF}"}}}}
""",
    "tests/every_row_is_there.sql": """
select * from (select sum(rows) as n from {{ source('lake', 'manifest') }} where is_live and dataset = 'green') landed
cross join (select count(*) as m from {{ ref('rides') }}) built where landed.n != built.m
""",
}
COLUMNS = {
    "rides": ["ride_id", "pickup_zone_id", "pickup_at", "trip_distance", "total_amount", "file_month"],
    "zone_months": ["borough", "file_month", "rides", "amount"],
    "fast_rides": ["ride_id", "trip_distance", "file_month", "is_far"],
    "rides_by_zone": ["zone_id", "rides"],
}
Tables = dict[str, list[tuple[Any, ...]]]


@dataclass
class Rides:
    """The project on one target.

    Attributes:
        project: its files and commands.
        target: name in profiles.yml and penstock.yml.
        environment: environment variables of its commands.
        raw: folder of the raw files.
        outputs: what its commands printed.
    """

    project: Project
    target: str
    environment: dict[str, str]
    raw: Path
    outputs: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(self.project.root, self.target)

    def penstock(self, *arguments: str) -> str:
        """Run a penstock command that must succeed and return its output."""
        done = self.project.penstock(*arguments, "--target", self.target, **self.environment)
        self.outputs.append(done.stdout)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def dbt(self, *arguments: str) -> str:
        """Run a dbt command that must succeed and return its output."""
        done = self.project.dbt(*arguments, "--target", self.target, **self.environment)
        self.outputs.append(done.stdout)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def land(self, version: int, *months: str) -> str:
        """Land months in a version."""
        folder = month_file(self.raw, version, months[0]).parent
        for month in months[1:]:
            month_file(self.raw, version, month)
        return self.penstock("land", "green", ",".join(months), "--from", str(folder))

    def killed_run(self, victim: str) -> tuple[int, str]:
        """Kill Spark or an executor during a run; return the exit code and output of the run."""
        dbt = self.project.start("dbt", "run", "--target", self.target, **self.environment)
        begun = "START sql incremental model"
        wait_until(lambda: begun in dbt.output() or dbt.poll() is not None, "an incremental model begins")
        wait_until(lambda: dbt.poll() is not None or spark_ui.jobs(self, "running"), "a job", pause=0.02)
        assert dbt.poll() is None, dbt.output()
        self.process(victim).kill()
        output, _ = dbt.communicate(timeout=LIMIT)
        self.outputs.append(output)
        assert "Traceback" not in output, output
        return dbt.wait(), output

    def process(self, what: str) -> psutil.Process:
        """Return the process of Spark or of one of its executors."""
        running = control.current(self.settings)
        assert running and running.spark
        if what == "spark":
            return psutil.Process(running.spark.pid)
        spark = running.spark.pid

        def executors() -> list[psutil.Process]:
            return [p for p in psutil.process_iter(["cmdline"]) if is_executor(p.info["cmdline"] or (), spark)]

        return wait_until(executors, "an executor")[0]

    def rows(self) -> Tables:
        """Return the sorted rows of each table, after checking that its columns are those of COLUMNS."""
        found = {}
        for table, columns in COLUMNS.items():
            assert [name for (name,) in query(self.settings, f"show columns in w.{table}")] == columns
            found[table] = query(self.settings, f"select * from w.{table} order by all")
        return found


def month_file(raw: Path, version: int, month: str) -> Path:
    """Return the raw file of a month in a version; versions have the same file name and other trips."""
    path = raw / f"v{version}" / f"green_tripdata_{month}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_raw(SampleMonth("green", date.fromisoformat(f"{month}-01"), ROWS + 50 * version, version), path)
    return path


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a statement on a target's own server, started when it isn't up."""
    from penstock.report import warehouse_query

    control.up(settings)
    return warehouse_query.run_query(settings, sql)


def make(
    root: Path, raw: Path, target: str, section: dict[str, Any] | None = None, environment: dict[str, str] | None = None
) -> Rides:
    """Write the project with one target.

    Args:
        root: folder of the project.
        raw: folder of the raw files.
        target: name of the target.
        section: its section of penstock.yml.
        environment: environment variables of its commands.
    """
    root.mkdir(parents=True)
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    output = {"type": "penstock", "schema": "w", "threads": 3, "keep_plans": False}
    (root / "profiles.yml").write_text(yaml.safe_dump({"rides": {"target": target, "outputs": {target: output}}}))
    catalog = yaml.safe_load((ROOT / "lake.yml").read_text())
    (root / "lake.yml").write_text(
        yaml.safe_dump({**catalog, "datasets": {"green": catalog["datasets"]["green"]}}, sort_keys=False)
    )
    (root / "seeds").mkdir()
    zones = (ROOT / "seeds" / "zones.csv").read_text()
    (root / "seeds" / "zones.csv").write_text(zones)
    conf = {**INTERPRETED, "spark.sql.shuffle.partitions": 2, "spark.executor.extraJavaOptions": BRIEF}
    server = {"memory": "2g", "java_options": [QUICK], "spark_conf": conf}
    settings = {"version": 1, "server": server, "targets": {target: section or {}}}
    (root / "penstock.yml").write_text(yaml.safe_dump(settings))
    made = Rides(Project(root), target, environment or {}, raw)
    for kept in ("jars", "cds"):
        (ROOT / ".penstock" / kept).mkdir(parents=True, exist_ok=True)
        made.settings.shared_dir.mkdir(exist_ok=True)
        (made.settings.shared_dir / kept).symlink_to(ROOT / ".penstock" / kept)
    return made
