"""A small project with a lake of one dataset, a handful of rides a month, and models that are built by interval."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.polling import LIMIT
from tests.support.projects import Project, small_project

LAKE = """
version: 1
datasets:
  rides:
    description: Rides, one file a month.
    file_name: ["rides_{month}.csv"]
    columns:
      id: {type: bigint}
      at: {type: timestamp}
      zone: {type: int}
      fare: {type: money}
"""
PROJECT = """
name: small
version: 1.0.0
profile: small
flags: {send_anonymous_usage_stats: false}
on-run-start: "{{ penstock_sync_lake() }}"
models:
  small:
    +materialized: incremental
    +incremental_strategy: interval
"""
PROFILES = """
small:
  target: dev
  outputs:
    dev: {type: penstock, schema: small, threads: 2, keep_plans: false}
    other: {type: penstock, schema: other, threads: 2, keep_plans: false}
"""
SOURCES = """
version: 2
sources:
  - name: lake
    schema: lake
    config: {event_time: file_month}
    tables: [{name: rides}]
"""
ZONES = "zone,zone_name\n1,north\n2,south\n"
FILES = {
    "dbt_project.yml": PROJECT,
    "profiles.yml": PROFILES,
    "lake.yml": LAKE,
    "seeds/zones.csv": ZONES,
    "models/sources.yml": SOURCES,
    "models/stg_rides.sql": """
{{ config(materialized='view', event_time='file_month') }}
select id, at, zone, fare, file_month from {{ source('lake', 'rides') }}
""",
    "models/checked.sql": """
{{ config(event_time='file_month', intervals_per_commit=2, quarantine_when='not is_good', partition_by='file_month') }}
select
    id, at, zone, if(fare = 666, raise_error('a fare of 666'), fare) as fare, fare >= 0 as is_good, file_month
from {{ ref('stg_rides') }}
""",
    "models/totals.sql": """
{{ config(event_time='month', partition_by='month') }}
with rides as (select * from {{ ref('checked') }}),
zones as (select * from {{ ref('zones') }})
select rides.file_month as month, zones.zone_name, count(*) as rides, sum(rides.fare) as fare
from rides inner join zones on rides.zone = zones.zone
where rides.is_good
group by rides.file_month, zones.zone_name
""",
    "models/daily.sql": """
{{ config(event_time='day', batch_size='day', intervals_per_commit=400, on_code_change='rebuild') }}
with rides as (select * from {{ ref('checked') }}),
zones as (select * from {{ ref('zones') }})
select cast(rides.at as date) as day, zones.zone_name, count(*) as rides
from rides inner join zones on rides.zone = zones.zone
group by 1, 2
""",
    "models/features.py": """
from pyspark.sql import functions as F

def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="month", partition_by="month")
    fare = F.expr("if(fare = 667, raise_error('a fare of 667'), fare)").alias("fare")
    return dbt.ref("checked").select("id", fare, F.col("file_month").alias("month"))
""",
    "models/batched.sql": """
{{ config(incremental_strategy='microbatch', event_time='at', begin='2024-01-01', batch_size='month', tags='aside') }}
select id, at from {{ ref('stg_rides') }}
""",
    "models/so_far.sql": """
{{ config(event_time='month', reads_before=['totals'], tags='aside') }}
with months as (select distinct file_month as month from {{ ref('checked') }}),
totals as (select * from {{ ref('totals') }})
select months.month, sum(totals.fare) as fare
from months left join totals on totals.month < months.month
group by months.month
""",
    "models/so_far_py.py": """
from pyspark.sql import functions as F

def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="month", tags="aside",
               reads_before=["totals"])
    checked = dbt.ref("checked").select(F.col("file_month").alias("at")).distinct()
    months = session.createDataFrame([(day,) for day in dbt.intervals], "at date").join(checked, "at")
    dbt.log(f"months {len(dbt.intervals)} by {dbt.code}")
    totals = dbt.ref("totals")
    pairs = months.join(totals, totals.month < months.at, "left")
    return pairs.groupBy(F.col("at").alias("month")).agg(F.sum("fare").alias("fare"))
""",
    "models/outside.sql": """
{{ config(event_time='month', tags='aside') }}
select id, cast(add_months(file_month, 1) as date) as month from {{ ref('stg_rides') }}
""",
    "models/outside_py.py": """
def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="interval", event_time="month", tags="aside")
    return dbt.ref("stg_rides").selectExpr("id", "cast(add_months(file_month, 1) as date) as month")
""",
}
# Tables of a few rows: more partitions only cost tasks.
SPARK_CONF = {
    "spark.sql.shuffle.partitions": 1,
    "spark.default.parallelism": 2,
    "spark.databricks.delta.snapshotPartitions": 1,
    "spark.ui.enabled": False,
}
# Month column of each model that is built by month.
MONTHLY = {"checked": "file_month", "totals": "month", "features": "month"}
MODELS = (*MONTHLY, "daily")
ORDINARY = ("--exclude", "tag:aside")


def rides(month: str, version: int, last: int | None = None) -> list[tuple[int, str, int, Decimal]]:
    """Return four rides of a month, the first one invalid; each version has other fares, `last` is the last fare."""
    number = int(month[-2:]) * 100
    fares = [-version, 10 + version, 20 + version, 30 + version if last is None else last]
    return [
        (number + place, f"{month}-{7 * place + 1:02d} 10:00:00", 1 + place % 2, Decimal(fare))
        for place, fare in enumerate(fares)
    ]


def month_text(month: Any) -> str:
    """Return the month of a day, as 2024-01."""
    return str(month)[:7]


@dataclass
class Done:
    """A dbt command that has ended, with the id of its run."""

    code: int
    text: str
    run_id: str

    @property
    def line(self) -> str:
        """Its output as one line."""
        return " ".join(self.text.split())


@dataclass
class Rides:
    """The project, the rows of its lake and the ids of its runs."""

    project: Project
    lake: dict[str, list[tuple[int, str, int, Decimal]]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    def land(self, month: str, version: int, last: int | None = None) -> None:
        """Land a month, or a new version of it."""
        rows = rides(month, version, last)
        file = self.project.root / "raw" / f"rides_{month}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("id,at,zone,fare\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
        done = self.project.penstock("land", "rides", month, "--from", "raw")
        assert done.returncode == 0, done.stdout
        self.lake[month] = rows

    def remove(self, month: str) -> None:
        """Remove a month from the lake."""
        done = self.project.penstock("remove", "rides", month)
        assert done.returncode == 0, done.stdout
        del self.lake[month]

    def dbt(self, *arguments: str, code: int = 0, target: str = "target", **environment: str) -> Done:
        """Run a dbt command that must end with an exit code; `target` is its target folder."""
        done = self.project.dbt(*arguments, **environment)
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return self._ended(done.returncode, done.stdout, target)

    def _ended(self, code: int, text: str, target: str) -> Done:
        results = json.loads((self.project.root / target / "run_results.json").read_text())
        self.runs.append(results["metadata"]["invocation_id"])
        return Done(code, text, self.runs[-1])

    def run(self, *arguments: str, code: int = 0, **environment: str) -> Done:
        """Run every ordinary model."""
        return self.dbt("run", *ORDINARY, *arguments, code=code, **environment)

    def together(self, *commands: tuple[str, ...]) -> list[Done]:
        """Run commands at the same time, each with its own target and log folders."""
        started = [
            self.project.start("dbt", *arguments, "--target-path", f"at{place}", "--log-path", f"logs{place}")
            for place, arguments in enumerate(commands)
        ]
        outputs = [process.communicate(timeout=LIMIT)[0] for process in started]
        return [
            self._ended(process.wait(), text, f"at{place}")
            for place, (process, text) in enumerate(zip(started, outputs, strict=True))
        ]

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self.project.sql(query)

    def ledger(self, of: Done, outcome: str = "built") -> dict[str, list[str]]:
        """Return the months that a run recorded in the run ledger, by model."""
        found: dict[str, set[str]] = defaultdict(set)
        for model, start in self.sql(
            f"select model, interval_start from small.batch_runs where run_id = '{of.run_id}' and outcome = '{outcome}'"
        ):
            found[model].add(month_text(start))
        return {model: sorted(months) for model, months in found.items()}

    def history(self, model: str) -> list[dict[str, Any]]:
        """Return a table's commits, oldest first: version, operation, userMetadata."""
        rows = self.sql(f"describe history small.{model}")
        found = [{"version": int(row[0]), "operation": row[4], "userMetadata": row[13]} for row in rows]
        return sorted(found, key=lambda row: row["version"])

    def versions(self) -> dict[str, int]:
        """Return the newest Delta version of each model's table."""
        return {model: self.history(model)[-1]["version"] for model in MODELS}

    def files(self, month: str) -> dict[str, set[str]]:
        """Return the data files of a month, for each model that is built by month."""
        return {
            model: {
                str(row[0])
                for row in self.sql(
                    f"select distinct _metadata.file_path from small.{model} where {column} = date'{month}-01'"
                )
            }
            for model, column in MONTHLY.items()
        }

    def holds(self, *models: str, zones: tuple[str, str] = ("north", "south")) -> None:
        """Assert that models have exactly the rows that follow from the lake."""
        for model in models or MODELS:
            assert self._rows(model) == self._expected(model, zones), model

    def _rows(self, model: str) -> list[tuple[Any, ...]]:
        columns = {
            "checked": "id, cast(file_month as string), fare, is_good",
            "totals": "cast(month as string), zone_name, rides, fare",
            "features": "id, cast(month as string), fare",
            "daily": "cast(day as string), zone_name, rides",
        }
        return sorted(self.sql(f"select {columns[model]} from small.{model}"))

    def _expected(self, model: str, zones: tuple[str, str]) -> list[tuple[Any, ...]]:
        every = [(month, *row) for month, rows in self.lake.items() for row in rows]
        if model == "checked":
            return sorted((id_, f"{month}-01", fare, fare >= 0) for month, id_, _, _, fare in every)
        if model == "features":
            return sorted((id_, f"{month}-01", fare) for month, id_, _, _, fare in every)
        sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
        for month, _, at, zone, fare in every:
            if model == "totals" and fare < 0:
                continue
            key = (f"{month}-01" if model == "totals" else at[:10], zones[zone - 1])
            count, total = sums.get(key, (0, Decimal(0)))
            sums[key] = count + 1, total + fare
        return sorted((*key, *(of if model == "totals" else of[:1])) for key, of in sums.items())


def make(root: Path, files: dict[str, str] = FILES, kind: type[Rides] = Rides, **server: Any) -> Rides:
    """Make the project and build three months.

    Args:
        root: folder of the project.
        files: text by path.
        kind: the class of the result.
        server: keys of `server` in penstock.yml.
    """
    made = kind(small_project(root, files, spark_conf=SPARK_CONF, **server))
    for month in ("2024-01", "2024-02", "2024-03"):
        made.land(month, 1)
    made.dbt("build", *ORDINARY)
    return made
