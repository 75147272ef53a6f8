"""The SQL models beside DuckDB: the same five tables from the same landed files, as CPU seconds and a ratio.

    .venv/bin/python bench/duckdb_peer.py [--rows 5000000 25000000] [--lakes DIR] [--results FILE] [--write-docs]

For each number of rows: a lake of twelve made months of green and yellow trips, the tables by `dbt run` on a
server of its own (one model after another, after a small month has warmed it up), and the same tables by
DuckDB in a process of its own. Counts and exact sums of both are compared; a difference ends the bench.
Spark's CPU seconds are those of its JVM, from /proc; DuckDB's are those of its whole process.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from duckdb_tables import THREADS
from scale import COUNT, MEMORY, Lakes
from scale_docs import PAGE, short
from scale_project import Site, instant
from scale_results import MILLION
from scale_watch import Watch

FIRST = "2024-01-01"
# What must be alike: the table's month, and exact figures of its rows.
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
BLOCK = re.compile(r"(<!-- made by bench/duckdb_peer.py -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """CPU seconds by table, of both, for one number of rows.

    Attributes:
        whole: of DuckDB's whole process, its start included.
    """

    rows: int
    spark: dict[str, float]
    duckdb: dict[str, float]
    whole: float


def question(table: str) -> str:
    """The figures of a table, in SQL that both understand; the month that warms up is left out."""
    month, figures = COMPARED[table]
    return f"select {figures} from {table} where {month} >= date '{FIRST}'"


def plain(row: Sequence[Any]) -> tuple[str, ...]:
    """A row as text, whatever types a driver gives to its values."""
    return tuple(str(value).split(".000")[0] for value in row)


def by_spark(site: Site) -> dict[str, float]:
    """Build the tables by dbt; CPU seconds of Spark's JVM by table."""
    site.warm()
    names = {table.rsplit(".", 1)[-1]: table for table in COMPARED}
    with Watch([site.spark]) as watch:
        site.run("dbt", "run", "--threads", "1", "--select", *names)
    used: dict[str, float] = {}
    for item in site.results():
        name, times = item["unique_id"].rsplit(".", 1)[-1], item["timing"]
        if name in names and times:
            begin, end = instant(times[0]["started_at"]), instant(times[-1]["completed_at"])
            used[names[name]] = watch.cpu(begin, end)
    return {table: used[table] for table in COMPARED}


def by_duckdb(lake: Path, database: Path) -> tuple[dict[str, float], float]:
    """Build the tables by DuckDB; CPU seconds by table, and of the whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    script = Path(__file__).with_name("duckdb_tables.py")
    command = [sys.executable, str(script), str(lake), str(database), FIRST]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("DuckDB failed: see above")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), whole


def compare(site: Site, database: Path) -> None:
    """End the bench when a table's figures differ."""
    with duckdb.connect(str(database), read_only=True) as engine:
        for table in COMPARED:
            found = engine.execute(question(table).replace("cardinality(", "len(")).fetchall()[0]
            own = site.query(question(table))[0]
            if plain(own) != plain(found):
                sys.exit(f"needed: the same {table} by both. found: Spark {plain(own)}, DuckDB {plain(found)}")


def measure(top: Path, lakes: Lakes, rows: int) -> Pair:
    """Both, on one lake."""
    lake = lakes.lake(rows)
    database = top / f"{rows}.duckdb"
    with Site(top / f"peer-{rows}", lake, MEMORY) as site:
        used, whole = by_duckdb(lake, database)
        own = by_spark(site)
        compare(site, database)
    pair = Pair(rows, own, used, whole)
    print("\n".join(table([pair])), flush=True)
    return pair


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(pairs: Sequence[Pair]) -> list[str]:
    """CPU seconds a million rows of the lake, by table and in all."""
    heads = ["rows", "table", "Spark, CPU s a million rows", "DuckDB, CPU s a million rows", "ratio"]
    lines = [_line(heads), _line(["---", "---", "---:", "---:", "---:"])]
    for pair in pairs:
        millions = pair.rows / MILLION
        rows: dict[str, tuple[float, float]] = {f"`{name}`": (pair.spark[name], pair.duckdb[name]) for name in COMPARED}
        rows["all five"] = (sum(pair.spark.values()), pair.whole)
        for place, (name, (own, peer)) in enumerate(rows.items()):
            first = short(pair.rows) if place == 0 else ""
            lines.append(_line([first, name, f"{own / millions:.2f}", f"{peer / millions:.2f}", f"{own / peer:.1f}"]))
    return lines


def block(pairs: Sequence[Pair], day: str) -> str:
    """The lines of the docs."""
    intro = (
        f"{COUNT} months of green and yellow, {THREADS} threads each; Spark {version('pyspark')}, {MEMORY} of heap; "
        f"DuckDB {version('duckdb')}; {day}."
    )
    return "\n".join([intro, "", *table(pairs)]) + "\n"


def filled(text: str, lines: str) -> str:
    """A page with the block replaced.

    Raises:
        SystemExit: the page has no such block.
    """
    if not BLOCK.search(text):
        raise SystemExit(f"needed: a block of bench/duckdb_peer.py in {PAGE.name}. found: none")
    return BLOCK.sub(lambda match: match[1] + lines + match[2], text)


def read(data: Mapping[str, Any]) -> list[Pair]:
    """Pairs from their JSON."""
    return [Pair(**item) for item in data["pairs"]]


def main() -> None:
    """Measure, print, and write the docs if requested."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 25_000_000], help="of the lakes")
    parser.add_argument("--lakes", type=Path, help="folder that keeps the lakes, used again by the next run")
    parser.add_argument("--results", type=Path, help="JSON file that keeps the results; a size in it is not run again")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/scaling.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        path: Path = given.results or top / "results.json"
        pairs = read(json.loads(path.read_text())) if path.exists() else []
        for rows in sorted(set(given.rows) - {pair.rows for pair in pairs}):
            pairs.append(measure(top, Lakes(given.lakes.resolve() if given.lakes else top), rows))
            path.write_text(json.dumps({"pairs": [asdict(pair) for pair in pairs]}, indent=1))
    pairs.sort(key=lambda pair: pair.rows)
    print("\n".join(["", *table(pairs)]))
    if given.write_docs:
        PAGE.write_text(filled(PAGE.read_text(), block(pairs, f"{date.today()}")))


if __name__ == "__main__":
    main()
