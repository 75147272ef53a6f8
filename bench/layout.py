"""What physical design gains: the same question on good and on careless layouts, in turns, as ratios.

    .venv/bin/python bench/layout.py [--trips 25000000] [--keep DIR] [--write-docs]

Makes trips with `penstock sample`, writes them in several layouts on a server of its own with two
cores, and asks each question of a comparison in turns: one round to warm up, then medians. Beside the
seconds stand the files, bytes and exchanges that explain them, from Spark's REST status.

With --keep what was made stays in a folder and is not made again; `--rounds 0` then only shows what
was measured last. --write-docs puts the figures and the plans into docs/physical-design.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import layout_docs
import yaml
from layout_docs import Measured, Results, Table, number
from main_job import project, run

from penstock.config.settings import load
from penstock.plans import plan_store
from penstock.plans.rest_api import SparkRestApi
from penstock.spark.server import control

CORES, MEMORY, MONTHS = 2, "5g", "2024-01..2024-12"
ONE_MONTH, ONE_ZONE = "where pickup_month = date'2024-03-01'", "where pickup_zone_id = 74"
MODELS = ("monthly_zone_revenue", "hourly_zone_revenue")
DELTA, ADAPTIVE = "spark.databricks.delta.", "spark.sql.adaptive."
NONE: Mapping[str, str] = MappingProxyType({})
GOOD, FLAT, CLUSTERED, SMALL = "warehouse.fct_trips", "bench.flat", "bench.clustered", "bench.small"
# fct_trips without the checks that need a window, which are not what is measured here.
TRIPS = """
select
    md5(concat_ws('|', service_type, cast(file_month as string), cast(source_row as string))) as trip_id,
    file_month as pickup_month, * except (file_month, source_row, store_and_fwd_flag, trip_type, ehail_fee)
from (select * from staging.stg_green_trips union all select * from staging.stg_yellow_trips)
where pickup_at >= file_month and pickup_at < add_months(file_month, 1) and pickup_zone_id between 1 and 265
"""
COUNTED = "count(*) as trips, sum(trips.total_amount) as amount, avg(trips.trip_distance) as miles"
JOINED = f"{GOOD} as trips inner join warehouse.dim_zones as zones on trips.pickup_zone_id = zones.zone_id"


@dataclass(frozen=True)
class Variant:
    """One way to have a question answered."""

    words: str
    table: str
    sql: str
    settings: Mapping[str, str] = field(default_factory=dict)


def _join(words: str, hint: str, settings: Mapping[str, str] = NONE) -> Variant:
    return Variant(words, GOOD, f"select /*+ {hint} */ borough, {COUNTED} from {JOINED} group by borough", settings)


def _by_service(words: str, table: str, where: str = "") -> Variant:
    return Variant(words, table, f"select service_type, {COUNTED} from {table} as trips {where} group by service_type")


# Reads by vectored IO, the default, are missing in Spark's count of the bytes of local files: the question
# is asked once more without it, and not timed, for its figures.
COUNTING = {"parquet.hadoop.vectored.io.enabled": "false"}
# The first of each is the good one; the others' seconds are told as a multiple of its own.
COMPARISONS = {
    "trips joined with zones": (
        _join("`broadcast('zones')`", "broadcast(zones)"),
        _join("`shuffle_hash('zones')`", "shuffle_hash(zones)"),
        _join("`merge('zones')`", "merge(zones)"),
    ),
    "one month": (
        _by_service("`monthly_partitions('pickup_month')`", GOOD, ONE_MONTH),
        _by_service("no partitions", FLAT, ONE_MONTH),
    ),
    "one zone": (
        _by_service("`clustered('pickup_zone_id')`, compacted", CLUSTERED, ONE_ZONE),
        _by_service("not clustered", FLAT, ONE_ZONE),
    ),
    "all trips": (
        _by_service("`target_file_size({target})`", GOOD),
        _by_service("`repartition(200)`", SMALL),
    ),
}
MOST = f"select {{key}}, max(total_amount) as most from {GOOD} group by {{key}}"
DEAREST = MOST.format(key="pickup_zone_id")
ONE_TASK = {"spark.sql.shuffle.partitions": "1"}
SKEWED = {
    "spark.sql.shuffle.partitions": "200",
    f"{ADAPTIVE}advisoryPartitionSizeInBytes": "2m",
    f"{ADAPTIVE}skewJoin.skewedPartitionThresholdInBytes": "4m",
    f"{ADAPTIVE}skewJoin.skewedPartitionFactor": "3",
}
# Asked once, for their plans; not compared.
SHOWN = {
    "few groups": Variant("zone", GOOD, f"select pickup_zone_id, {COUNTED} from {GOOD} as trips group by all"),
    "many groups": Variant("trip", GOOD, f"select count(*) from ({MOST.format(key='trip_id')}) where most > 0"),
    "one task": Variant("trip, in one task", GOOD, f"select max(most) from ({MOST.format(key='trip_id')})", ONE_TASK),
    "adapted": Variant(
        "zone", GOOD, f"select count(*) from {GOOD} join ({DEAREST}) using (pickup_zone_id) where total_amount = most"
    ),
    "skew": _join("skewed", "merge(zones)", SKEWED),
}


class Bench:
    """A project and its server, in a folder; what is done there once is noted and not done again."""

    def __init__(self, folder: Path, trips: int, target: int) -> None:
        self.folder, self.trips, self.target = folder, trips, target

    def once(self, name: str, work: Callable[[], Any]) -> None:
        """Do it, unless it is noted as done."""
        note = self.folder / "done" / name
        if note.exists():
            return
        begin = time.monotonic()
        work()
        note.parent.mkdir(exist_ok=True)
        note.touch()
        print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)

    def open(self) -> None:
        """Files and lake, then the server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.once("project", lambda: project(self.folder))
        server = {"memory": MEMORY, "master": f"local[{CORES}]"}
        (self.folder / "penstock.yml").write_text(yaml.safe_dump({"version": 1, "server": server}))
        sample = ("--dataset", "yellow", "--dataset", "green", "--months", MONTHS, "--rows", str(self.trips))
        self.once("lake", lambda: run(self.folder, "penstock", "sample", *sample))
        running = control.up(load(self.folder))
        self.status = SparkRestApi(running.ui_link)
        self.server = running

    @contextmanager
    def session(self, settings: Mapping[str, str] = NONE) -> Iterator[Any]:
        """A cursor of a session with these settings."""
        connection = self.server.connect()
        try:
            cursor = connection.cursor()
            for key, value in settings.items():
                cursor.execute(f"set {key}={value}")
            yield cursor
        finally:
            connection.close()

    def sql(self, statement: str, settings: Mapping[str, str] = NONE) -> None:
        """Run a statement in a session of its own."""
        with self.session(settings) as cursor:
            cursor.execute(statement)

    def write(self) -> None:
        """The tables of all layouts, and this project's own models on the good one."""
        models = ("--select", "dim_zones", "stg_green_trips", "stg_yellow_trips")
        self.once("seeds", lambda: run(self.folder, "dbt", "seed"))
        self.once("views", lambda: run(self.folder, "dbt", "run", *models))
        # What target_file_size(mb) sets for the session that writes: shuffled rows are twice as wide.
        optimised = {
            f"{DELTA}optimizeWrite.enabled": "true",
            f"{DELTA}optimizeWrite.binSize": f"{2 * self.target}m",
            f"{DELTA}optimize.maxFileSize": str(self.target * 2**20),
            f"{DELTA}optimize.minFileSize": str(self.target * 2**18),
        }
        self.once("schema", lambda: self.sql("create schema if not exists bench"))
        self._table(GOOD, "partitioned by (pickup_month)", TRIPS, optimised)
        files = max(1, round(self.files(GOOD).bytes / self.target / 2**20))
        rows = f"select {{}} * from {GOOD}"
        self._table(FLAT, "", rows.format(f"/*+ repartition({files}, trip_id) */"))
        self._table(SMALL, "partitioned by (pickup_month)", rows.format("/*+ repartition(200) */"))
        self._table(CLUSTERED, "cluster by (pickup_zone_id)", rows.format(""), optimised)
        self.once("optimize", lambda: self.sql(f"optimize {CLUSTERED}", optimised))
        self.once("models", lambda: run(self.folder, "dbt", "run", "--select", *MODELS))

    def _table(self, name: str, layout: str, select: str, settings: Mapping[str, str] = NONE) -> None:
        create = f"create or replace table {name} using delta {layout} as {select}"
        self.once(name, lambda: self.sql(create, settings))

    def files(self, name: str) -> Table:
        """How many files a table has, and their bytes."""
        with self.session() as cursor:
            cursor.execute(f"describe detail {name}")
            found = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
        return Table(found["numFiles"], found["sizeInBytes"])

    def ask(self, variant: Variant, settings: Mapping[str, str] = NONE) -> Measured:
        """A question's wall seconds, and how Spark answered it; with settings over the variant's own."""
        token = f"layout {time.time_ns()}"
        with self.session({**variant.settings, **settings}) as cursor:
            begin = time.monotonic()
            cursor.execute(f"/* {token} */ {variant.sql}")
            cursor.fetchall()
            seconds = time.monotonic() - begin
        # The UI learns of a statement a moment after its client.
        for _ in range(100):
            if executed := self.status.executed_plan(lambda text: token in text):
                return Measured(variant.words.format(target=self.target), variant.table, seconds, executed)
            time.sleep(0.1)
        raise SystemExit(f"Spark's REST status doesn't have {variant.words}")

    def measure(self, rounds: int) -> Results:
        """All comparisons, each question of one in turns."""
        measured: dict[str, list[Measured]] = {}
        for name, variants in COMPARISONS.items():
            found: list[list[float]] = [[] for _ in variants]
            for _ in range(rounds + 1):
                for variant, times in zip(variants, found, strict=True):
                    times.append(self.ask(variant).seconds)
            measured[name] = [
                replace(self.ask(variant, COUNTING), seconds=statistics.median(times[1:]))
                for variant, times in zip(variants, found, strict=True)
            ]
            print(f"{name}: " + ", ".join(f"{item.seconds:.2f} s" for item in measured[name]), flush=True)
        shown = {name: self.ask(variant) for name, variant in SHOWN.items()}
        tables = {name: self.files(name) for name in (GOOD, FLAT, CLUSTERED, SMALL)}
        kept_plans = {name: plan_store.read(self.folder / "target", f"model.penstock.{name}") for name in MODELS}
        models = {name: plan.executed for name, plan in kept_plans.items() if plan and plan.executed}
        rows = number(shown["few groups"].counted("Scan parquet", "number of output rows")[0])
        return Results(self.trips, rows, rounds, CORES, MEMORY, f"{date.today()}", measured, shown, tables, models)


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trips", type=int, default=25_000_000, help="trips that are made")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the one that warms up")
    parser.add_argument("--target", type=int, default=64, help="MB of a well-sized file")
    parser.add_argument("--keep", type=Path, help="folder for what is made, used again by the next run")
    parser.add_argument("--write-docs", action="store_true", help="put figures and plans into the docs")
    given = parser.parse_args()
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as top:
        bench = Bench(Path(top).resolve() / f"{given.trips}-{given.target}", given.trips, given.target)
        last = bench.folder / "results.json"
        try:
            if given.rounds:
                bench.open()
                bench.write()
                last.write_text(json.dumps(asdict(bench.measure(given.rounds))))
        finally:
            control.down(load(bench.folder))
        results = layout_docs.read(json.loads(last.read_text()))
    print("\n".join(layout_docs.figures(results)))
    if given.write_docs:
        layout_docs.write(results)


if __name__ == "__main__":
    main()
