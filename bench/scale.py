"""What the project's own build takes by rows and by workers, and what 10 million to 100 billion rows would.

    .venv/bin/python bench/scale.py [--rows 5000000 10000000 25000000] [--only PARTS] [--write-docs]

* builds: `dbt build` of SQL models on made lakes of green and yellow rows, twelve months of each size: seconds
  and CPU seconds of each layer, shuffled bytes, files, memory. On the smallest also trip_features, a Python model.
* workers: the same build of the smallest lake on a standalone cluster of one worker and of two, in turns.
* fixed: many months of few rows; and many small files of one table.

Every server is this bench's own and has built a small month before it is measured. What was measured
is kept as JSON as it comes: in the temporary folder, or with --results FILE, from which parts that are left
out, and sizes that are there already, are taken. --write-docs puts the tables into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import scale_docs
import scale_fixed
from main_job import project, run
from scale_project import WARM, Site
from scale_results import Build, Lake, Results, read
from scale_watch import peak

MONTHS, COUNT, MEMORY = "2024-01..2024-12", 12, "4g"
WARM_ROWS = 20_000
PARTS = ("builds", "workers", "fixed")
TASKS = (5, 25, 100)
BOTH = ("--dataset", "green", "--dataset", "yellow")
Keep = Callable[[Results], None]


class Lakes:
    """The lakes, each made once: a folder below `top` for each number of rows."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def lake(self, rows: int) -> Path:
        """The lake of so many rows, and of the month that warms up."""
        folder = self.top / f"lake-{rows}"
        if not folder.exists():
            part = self.top / f"part-{rows}"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            project(part)
            run(part, "penstock", "sample", *BOTH, "--months", WARM[:7], "--rows", str(WARM_ROWS))
            seconds, most = run(part, "penstock", "sample", *BOTH, "--months", MONTHS, "--rows", str(rows))
            print(f"lake of {rows:,} rows: made in {seconds:.0f} s", flush=True)
            (part / "made.json").write_text(json.dumps(asdict(Lake(rows, seconds, round(most * 2**20)))))
            part.rename(folder)
        return folder / "lake"

    def made(self, rows: int) -> Lake:
        """How that lake was made."""
        return Lake(**json.loads((self.top / f"lake-{rows}" / "made.json").read_text()))


def measure(site: Site, rows: int, lake: Path) -> Build:
    """The build of a site that is up."""
    site.warm()
    cost, layers, stages = site.build()
    landed = sum(path.stat().st_size for path in lake.rglob("*.parquet") if WARM not in str(path))
    built = Build(
        site.workers,
        COUNT,
        rows,
        landed,
        MEMORY,
        cost.wall,
        cost.spark,
        cost.client,
        peak(site.spark),
        site.heap,
        sum(map(peak, site.executors)),
        site.broadcast("int_trips_checked"),
        max(stage["resultSize"] for stage in stages),
        max(stage["shuffleWriteBytes"] for stage in stages),
        layers,
        site.tables(),
    )
    words = f"{site.workers} workers" if site.workers else "local"
    print(f"build of {rows:,} rows, {words}: {cost.wall:.0f} s, Spark's CPU {cost.spark:.0f} s", flush=True)
    return built


def builds(top: Path, lakes: Lakes, given: argparse.Namespace, found: Results, keep: Keep) -> Results:
    """One build of each size, the smaller first."""
    for rows in sorted(given.rows):
        if any(item.rows == rows for item in found.builds or []):
            continue
        lake = lakes.lake(rows)
        with Site(top / f"build-{rows}", lake, MEMORY, python=rows == min(given.rows)) as site:
            built = [*(found.builds or []), measure(site, rows, lake)]
            # Kept before the server stops, which takes seconds.
            found = replace(found, builds=built, lakes=[*(found.lakes or []), lakes.made(rows)])
            keep(found)
    return found


def workers(top: Path, lakes: Lakes, given: argparse.Namespace, found: Results, keep: Keep) -> Results:
    """The smallest lake on one worker and on two, in turns."""
    rows = min(given.rows)
    found = replace(found, workers=[])
    for turn in range(given.rounds):
        for count in (1, 2) if turn % 2 == 0 else (2, 1):
            lake = lakes.lake(rows)
            with Site(top / f"workers-{count}-{turn}", lake, MEMORY, count) as site:
                found = replace(found, workers=[*(found.workers or []), measure(site, rows, lake)])
                keep(found)
    return found


def fixed(top: Path, lakes: Lakes, given: argparse.Namespace, found: Results, keep: Keep) -> Results:
    """Months of few rows; then their trips in many files."""
    with Site(top / "months", top / "months" / "lake", MEMORY) as site:
        run(site.folder, "penstock", "sample", *BOTH, "--months", WARM[:7], "--rows", str(WARM_ROWS))
        site.warm()
        found = replace(found, fixed=scale_fixed.months(site, given.months))
        keep(found)
        found = replace(found, files=[scale_fixed.files(site, tasks) for tasks in TASKS])
        keep(found)
    return found


def main() -> None:
    """Measure, print, and write the docs when asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 10_000_000, 25_000_000], help="of the lakes")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of one worker and two")
    parser.add_argument("--months", type=int, default=60, help="months of few rows, whole years")
    parser.add_argument("--lakes", type=Path, help="folder that keeps the lakes, used again by the next run")
    parser.add_argument("--only", default=",".join(PARTS), help="which of " + ", ".join(PARTS))
    parser.add_argument("--results", type=Path, help="JSON file that keeps what was measured")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/scaling.md")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name]
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if given.months < scale_fixed.YEAR or given.months % scale_fixed.YEAR:
        parser.error(f"--months: whole years, found {given.months}")
    # Told to end, it stops its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        path: Path = given.results or top / "results.json"
        found = read(json.loads(path.read_text())) if path.exists() else Results()
        print(f"results in {path}", flush=True)

        def keep(results: Results) -> None:
            path.write_text(json.dumps(asdict(replace(results, date=f"{date.today()}")), indent=1))

        lakes = Lakes(given.lakes.resolve() if given.lakes else top)
        for part in chosen:
            found = {"builds": builds, "workers": workers, "fixed": fixed}[part](top, lakes, given, found, keep)
        results = read(json.loads(path.read_text())) if path.exists() else Results()
    for lines in scale_docs.blocks(results).values():
        print("\n".join(["", *lines]))
    if given.write_docs:
        scale_docs.write(results)


if __name__ == "__main__":
    main()
