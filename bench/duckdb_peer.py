"""Compare the SQL models with DuckDB: the same five tables from the same landed files, as CPU seconds and a ratio.

    .venv/bin/python bench/run.py duckdb [--rows 5000000 25000000] [--lakes DIR] [--results FILE] [--write-docs]

For each number of rows, the benchmark makes a lake of twelve synthetic months of green and yellow trips. `dbt run`
builds the tables one model after another, on a server that has built a small month before. A DuckDB process builds the
same tables. The benchmark compares row counts and exact sums, and ends if they differ. Spark's CPU seconds are those
of its JVM. DuckDB's are those of its whole process.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from bench.duckdb_tables import THREADS
from bench.measure import CpuTimeline, run_command
from bench.report import DOCS, MILLION, Page, Report, format_rows, spark_version, table
from bench.scale import COUNT, MEMORY, Lakes
from bench.scale_project import ScaleProject, parse_time

PAGES = (Page(DOCS / "explanation" / "measurements.md", "made by bench/duckdb_peer.py", ("",)),)
FIRST = "2024-01-01"
# The figures that must be equal on both sides. For each table: the column with the month, and exact figures.
COMPARED = {
    "intermediate.int_trips_checked": (
        "file_month",
        "count(*), sum(total_amount), sum(source_row), sum(case when is_quarantined then 1 else 0 end), "
        "sum(cardinality(reasons)), sum(cardinality(flags))",
    ),
    "warehouse.fct_trips": (
        "pickup_month",
        "count(*), count(distinct trip_id), sum(fare_amount), sum(total_amount), sum(pickup_zone_id), min(trip_id)",
    ),
    "warehouse.monthly_zone_revenue": (
        "revenue_month",
        "count(*), sum(trips), sum(revenue_monthly_total_amount), sum(revenue_monthly_tip_amount)",
    ),
    "warehouse.hourly_zone_revenue": (
        "pickup_month",
        "count(*), sum(green_trips), sum(green_amount), sum(yellow_trips), sum(yellow_amount), min(pickup_hour), "
        "max(zone)",
    ),
    "warehouse.quality_report": ("month", "count(*), sum(rows), sum(checked_rows), max(rule)"),
}


@dataclass(frozen=True)
class Pair:
    """CPU seconds of Spark and DuckDB for one number of rows.

    Attributes:
        rows: number of rows of the lake.
        spark, duckdb: CPU seconds by table.
        whole: CPU seconds of DuckDB's whole process, including its start.
    """

    rows: int
    spark: dict[str, float]
    duckdb: dict[str, float]
    whole: float


def figures_query(name: str) -> str:
    """Return SQL, valid in Spark and DuckDB, for a table's figures without the month that warms the server up."""
    month, figures = COMPARED[name]
    return f"select {figures} from {name} where {month} >= date '{FIRST}'"


def as_text(row: Sequence[Any]) -> tuple[str, ...]:
    """Return a row as text, because the two drivers return the same values in different types."""
    return tuple(str(value).split(".000")[0] for value in row)


def build_by_spark(project: ScaleProject) -> dict[str, float]:
    """Build the tables by dbt, and return the CPU seconds of Spark's JVM by table."""
    project.warm_up()
    names = {name.rsplit(".", 1)[-1]: name for name in COMPARED}
    with CpuTimeline([project.spark]) as timeline:
        project.run("dbt", "run", "--threads", "1", "--select", *names)
    used: dict[str, float] = {}
    for item in project.results():
        model, times = item["unique_id"].rsplit(".", 1)[-1], item["timing"]
        if model in names and times:
            begin, end = parse_time(times[0]["started_at"]), parse_time(times[-1]["completed_at"])
            used[names[model]] = timeline.cpu(begin, end)
    return {name: used[name] for name in COMPARED}


def build_by_duckdb(lake: Path, database: Path) -> tuple[dict[str, float], float]:
    """Build the tables by DuckDB, and return the CPU seconds by table and of the whole process."""
    script = Path(__file__).with_name("duckdb_tables.py")
    finished = run_command((sys.executable, str(script), str(lake), str(database), FIRST), database.parent)
    return json.loads(finished.output.splitlines()[-1]), finished.cpu


def compare(project: ScaleProject, database: Path) -> None:
    """End the benchmark if a table's figures differ."""
    with duckdb.connect(str(database), read_only=True) as engine:
        for name in COMPARED:
            theirs = as_text(engine.execute(figures_query(name).replace("cardinality(", "len(")).fetchall()[0])
            ours = as_text(project.query(figures_query(name))[0])
            if ours != theirs:
                sys.exit(
                    f"needed: the same {name} by both. found: Spark {ours}, DuckDB {theirs}. "
                    "do: compare the model with bench/duckdb_tables.py"
                )


def measure_pair(folder: Path, lakes: Lakes, rows: int) -> Pair:
    """Build the tables of one lake by Spark and by DuckDB."""
    lake = lakes.lake(rows)
    database = folder / f"{rows}.duckdb"
    with ScaleProject(folder / f"peer-{rows}", lake, MEMORY) as project:
        theirs, whole = build_by_duckdb(lake, database)
        ours = build_by_spark(project)
        compare(project, database)
    pair = Pair(rows, ours, theirs, whole)
    print("\n".join(pairs_table([pair])), flush=True)
    return pair


def pairs_table(pairs: Sequence[Pair]) -> list[str]:
    """Return the Markdown table of CPU seconds per million rows of the lake, by table and in total."""
    heads = ["rows", "table", "Spark, CPU s a million rows", "DuckDB, CPU s a million rows", "ratio"]
    rows = []
    for pair in pairs:
        millions = pair.rows / MILLION
        costs: dict[str, tuple[float, float]] = {
            f"`{name}`": (pair.spark[name], pair.duckdb[name]) for name in COMPARED
        }
        costs["all five"] = (sum(pair.spark.values()), pair.whole)
        for position, (name, (ours, theirs)) in enumerate(costs.items()):
            first = format_rows(pair.rows) if position == 0 else ""
            rows.append([first, name, f"{ours / millions:.2f}", f"{theirs / millions:.2f}", f"{ours / theirs:.1f}"])
    return table(heads, rows, 2)


def report(pairs: Sequence[Pair], day: str) -> Report:
    """Return the Markdown table below a line with the conditions of the measurement."""
    intro = (
        f"{COUNT} months of green and yellow, {THREADS} threads each; {spark_version()}, {MEMORY} of heap; "
        f"DuckDB {version('duckdb')}; {day}."
    )
    lines = pairs_table(pairs)
    return Report(lines, {"": [intro, "", *lines]})


def read(data: Mapping[str, Any]) -> list[Pair]:
    """Return the results that JSON data contains."""
    return [Pair(**item) for item in data["pairs"]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 25_000_000], help="of the lakes")
    parser.add_argument("--lakes", type=Path, help="folder that keeps the lakes for the next run")
    parser.add_argument("--results", type=Path, help="JSON file that keeps the results; a size in it is not run again")


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Measure the numbers of rows that have no results yet."""
    path: Path = options.results or folder / "results.json"
    pairs = read(json.loads(path.read_text())) if path.exists() else []
    lakes = Lakes(options.lakes.resolve() if options.lakes else folder)
    for rows in sorted(set(options.rows) - {pair.rows for pair in pairs}):
        pairs.append(measure_pair(folder, lakes, rows))
        path.write_text(json.dumps({"pairs": [asdict(pair) for pair in pairs]}, indent=1))
    return report(sorted(pairs, key=lambda pair: pair.rows), f"{date.today()}")
