"""Measure the cost of this project's build by rows and by workers, and estimate it up to 100 billion rows.

    .venv/bin/python bench/run.py scale [--rows 5000000 10000000 25000000] [--only PARTS] [--write-docs]

* builds: `dbt build` of the SQL models on synthetic lakes of green and yellow trips, one lake of twelve months for
  each number of rows. Measures seconds and CPU seconds of each layer, shuffled bytes, files and memory. On the
  smallest lake it also builds trip_features, a Python model.
* workers: the same build of the smallest lake on a standalone cluster, in turns with one worker and with two.
* fixed: many months of few rows, and one table of many small files.

Every server has built a small month before it is measured. Results are saved as JSON when they are measured, in the
temporary folder or in --results FILE. Parts that aren't measured, and sizes that the file already has, are read from
that file.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from bench import scale_fixed, scale_tables
from bench.measure import peak_memory, run_command
from bench.options import comma_separated
from bench.projects import copy_project, sample_command
from bench.report import DOCS, Page, Report
from bench.scale_project import WARM, ScaleProject
from bench.scale_results import Build, Lake, Results, read

MARK = "made by bench/scale.py: "
PAGES = (
    Page(DOCS / "explanation" / "measurements.md", MARK, ("builds", "workers", "fixed")),
    Page(DOCS / "explanation" / "scaling.md", MARK, ("rates", "plan")),
)
MONTHS, COUNT, MEMORY = "2024-01..2024-12", 12, "4g"
WARM_ROWS = 20_000
TASKS = (5, 25, 100)
Save = Callable[[Results], None]


class Lakes:
    """Lakes of different numbers of rows. Each lake is made once, in a folder below `top`."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def lake(self, rows: int) -> Path:
        """Return a lake of `rows` rows, in addition to those of the month that warms the server up."""
        folder = self.top / f"lake-{rows}"
        if not folder.exists():
            temporary = self.top / f"part-{rows}"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            copy_project(temporary)
            run_command(warm_month(), temporary)
            made = run_command(sample_command(MONTHS, rows), temporary)
            print(f"lake of {rows:,} rows: made in {made.wall:.0f} s", flush=True)
            (temporary / "made.json").write_text(json.dumps(asdict(Lake(rows, made.wall, made.peak))))
            temporary.rename(folder)
        return folder / "lake"

    def made(self, rows: int) -> Lake:
        """Return the cost of making the lake of `rows` rows."""
        return Lake(**json.loads((self.top / f"lake-{rows}" / "made.json").read_text()))


def warm_month() -> tuple[str, ...]:
    """Return the command that lands the month that warms the server up."""
    return sample_command(WARM[:7], WARM_ROWS)


def measure_build(project: ScaleProject, rows: int, lake: Path) -> Build:
    """Measure the build of a project whose server runs."""
    project.warm_up()
    cost, layers, stages = project.build()
    landed = sum(path.stat().st_size for path in lake.rglob("*.parquet") if WARM not in str(path))
    build = Build(
        project.workers,
        COUNT,
        rows,
        landed,
        MEMORY,
        cost.wall,
        cost.spark,
        cost.client,
        peak_memory(project.spark),
        project.heap_peak(),
        sum(map(peak_memory, project.executors)),
        project.largest_broadcast("int_trips_checked"),
        max(stage["resultSize"] for stage in stages),
        max(stage["shuffleWriteBytes"] for stage in stages),
        layers,
        project.tables(),
    )
    where = f"{project.workers} workers" if project.workers else "local"
    print(f"build of {rows:,} rows, {where}: {cost.wall:.0f} s, Spark's CPU {cost.spark:.0f} s", flush=True)
    return build


def measure_builds(folder: Path, lakes: Lakes, options: argparse.Namespace, results: Results, save: Save) -> Results:
    """Measure one build of each size in ascending order."""
    for rows in sorted(options.rows):
        if any(item.rows == rows for item in results.builds or []):
            continue
        lake = lakes.lake(rows)
        with ScaleProject(folder / f"build-{rows}", lake, MEMORY, python=rows == min(options.rows)) as project:
            builds = [*(results.builds or []), measure_build(project, rows, lake)]
            # Saved before the server stops, because stopping takes seconds.
            results = replace(results, builds=builds, lakes=[*(results.lakes or []), lakes.made(rows)])
            save(results)
    return results


def measure_workers(folder: Path, lakes: Lakes, options: argparse.Namespace, results: Results, save: Save) -> Results:
    """Measure the build of the smallest lake, in turns with one worker and with two."""
    rows = min(options.rows)
    results = replace(results, workers=[])
    for turn in range(options.rounds):
        for count in (1, 2) if turn % 2 == 0 else (2, 1):
            lake = lakes.lake(rows)
            with ScaleProject(folder / f"workers-{count}-{turn}", lake, MEMORY, count) as project:
                results = replace(results, workers=[*(results.workers or []), measure_build(project, rows, lake)])
                save(results)
    return results


def measure_fixed(folder: Path, lakes: Lakes, options: argparse.Namespace, results: Results, save: Save) -> Results:
    """Measure many months of few rows, and then the trips of these months in many files."""
    with ScaleProject(folder / "months", folder / "months" / "lake", MEMORY) as project:
        run_command(warm_month(), project.folder)
        project.warm_up()
        results = replace(results, fixed=scale_fixed.measure_months(project, options.months))
        save(results)
        results = replace(results, files=[scale_fixed.measure_files(project, tasks) for tasks in TASKS])
        save(results)
    return results


PARTS = {"builds": measure_builds, "workers": measure_workers, "fixed": measure_fixed}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 10_000_000, 25_000_000], help="of the lakes")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of one worker and two")
    parser.add_argument("--months", type=int, default=60, help="months of few rows, whole years")
    parser.add_argument("--lakes", type=Path, help="folder that keeps the lakes for the next run")
    parser.add_argument("--only", type=comma_separated(PARTS), default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--results", type=Path, help="JSON file that keeps the results")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error if the months aren't whole years."""
    if options.months < scale_fixed.YEAR or options.months % scale_fixed.YEAR:
        parser.error(f"--months: whole years, found {options.months}")


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Measure the chosen parts, and read the other parts from earlier results."""
    path: Path = options.results or folder / "results.json"
    results = read(json.loads(path.read_text())) if path.exists() else Results()
    print(f"results in {path}", flush=True)

    def save(results: Results) -> None:
        path.write_text(json.dumps(asdict(replace(results, date=f"{date.today()}")), indent=1))

    lakes = Lakes(options.lakes.resolve() if options.lakes else folder)
    for part in options.only:
        results = PARTS[part](folder, lakes, options, results, save)
    return scale_tables.report(read(json.loads(path.read_text())) if path.exists() else Results())
