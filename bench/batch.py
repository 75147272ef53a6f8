"""Measure the cost of one more month: by number of months, by threads, and compared with dbt's microbatch.

    .venv/bin/python bench/run.py batch [--months 36] [--rows 60000] [--only PARTS] [--write-docs]

* months: synthetic months of equal size land one after another, and one `dbt run` builds each.
* nochange: `dbt run` when nothing changed, and the Spark jobs that it starts.
* threads: one month is built again with 1, 2 and 4 threads in turns.
* peer: one more month is built with the strategy `interval`, with dbt's `microbatch`, and by a full refresh.
* memory: backfills with a heap of 1 GB, with few rows and with ten times as many.

The first three parts share a project and a server, which has built a month three times to warm up. The other parts
have separate servers. --results FILE saves the results of each part as it ends. The results of parts that aren't
measured are read from this file.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bench import batch_memory, batch_peer, batch_tables
from bench.batch_results import WARM, Months, NoChange, Threads, read
from bench.options import comma_separated
from bench.projects import LEDGER, Cost, Project
from bench.report import DOCS, Page, Report

PAGES = (Page(DOCS / "explanation" / "cost-of-a-month.md", "batch: ", tuple(batch_tables.PARTS)),)
MEMORY, BEGIN = "3g", date(2022, 1, 1)
FEWEST = WARM + 4
COUNTS = ("1", "2", "4")
SHARED = {"months", "nochange", "threads"}
Save = Callable[[str, Any], None]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--months", type=int, default=36, help=f"at least {FEWEST}")
    parser.add_argument("--rows", type=int, default=60_000, help="rows of each of these months")
    parser.add_argument("--runs", type=int, default=5, help="runs with nothing to do")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of threads and of the peer")
    parser.add_argument("--peer-rows", type=int, default=1_000_000, help="rows of each of the peer's 12 months")
    parser.add_argument("--memory-rows", type=int, default=100_000, help="rows of each month of the smaller backfill")
    names = list(batch_tables.PARTS)
    parser.add_argument("--only", type=comma_separated(names), default=names, help=f"some of {','.join(names)}")
    parser.add_argument("--results", type=Path, help="JSON file that keeps the results")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error if there are too few months."""
    if options.months < FEWEST:
        parser.error(f"--months: {FEWEST} or more, to fit a line")


def month(number: int) -> date:
    """Return the first day of month `number`. Month 0 is the month that warms the server up."""
    return batch_peer.month_before(BEGIN, 1 - number)


def warm_up(project: Project, rows: int) -> None:
    """Load the seeds, and build month 0 three times."""
    project.land(f"{month(0):%Y-%m}", rows)
    project.run("dbt", "seed")
    project.run("dbt", "run")
    for _ in range(2):
        project.rebuild(f"{month(0)}", f"{month(1)}")


def measure_months(project: Project, count: int, rows: int) -> Months:
    """Land and build months one after another. End the benchmark if a run builds anything but its month."""
    names, costs = [f"{month(number):%Y-%m}" for number in range(1, count + 1)], []
    for number, name in enumerate(names, 1):
        project.land(name, rows)
        cost = project.run("dbt", "run")
        costs.append(cost)
        figures = f"{cost.wall:6.1f} s, Spark's CPU {cost.spark:6.1f} s, dbt's CPU {cost.client:5.1f} s"
        print(f"month {number:2} {name}: {figures}", flush=True)
    select = f"select count(*), count(distinct relation) from {LEDGER} where interval_start >= date'{month(1)}'"
    built = project.query(f"{select} and outcome = 'built' group by interval_start")
    if len(set(built)) != 1 or len(built) != count:
        raise SystemExit(
            f"needed: each month built once in the same tables. found: {built}. do: see the ledger's rows, {LEDGER}"
        )
    return Months(rows, MEMORY, names, costs, int(built[0][1]))


def measure_no_change(project: Project, count: int, runs: int) -> NoChange:
    """Run dbt several times with nothing landed."""
    costs: list[Cost] = []
    jobs, reading, versions = [], [], []
    for _ in range(runs):
        before = project.table_versions()
        job = project.last_job()
        costs.append(project.run("dbt", "run"))
        new, scanning = project.jobs_since(job)
        jobs.append(new)
        reading.append(scanning)
        versions.append(project.table_versions() - before)
    return NoChange(count, costs, *(round(statistics.median(counts)) for counts in (jobs, reading, versions)))


def measure_threads(project: Project, rounds: int, rows: int) -> Threads:
    """Build month 1 again and again, with each number of threads in turns."""
    costs: dict[str, list[Cost]] = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count, measured in costs.items():
            measured.append(project.rebuild(f"{month(1)}", f"{month(2)}", "--threads", count))
    return Threads(rounds, rows, costs)


def measure_shared(folder: Path, options: argparse.Namespace, save: Save) -> None:
    """Measure the parts that share one warm server."""
    with Project(folder / "months", MEMORY) as project:
        warm_up(project, options.rows)
        if "months" in options.only:
            save("months", measure_months(project, options.months, options.rows))
        else:
            project.land(f"{month(1):%Y-%m}..{month(options.months):%Y-%m}", options.months * options.rows)
            project.run("dbt", "run")
        if "nochange" in options.only:
            save("nochange", measure_no_change(project, options.months, options.runs))
        if "threads" in options.only:
            save("threads", measure_threads(project, options.rounds, options.rows))


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Measure the chosen parts, and read the other parts from earlier results."""
    data = json.loads(options.results.read_text()) if options.results and options.results.exists() else {}
    results = {name: read(name, item) for name, item in data.items()}

    def save(name: str, result: Any) -> None:
        results[name] = result
        if options.results:
            options.results.write_text(json.dumps({name: asdict(item) for name, item in results.items()}))
        print("\n".join(["", *batch_tables.PARTS[name](result), ""]), flush=True)

    if SHARED & set(options.only):
        measure_shared(folder, options, save)
    if "peer" in options.only:
        save("peer", batch_peer.measure(folder, options.peer_rows, options.rounds))
    if "memory" in options.only:
        save("memory", batch_memory.measure(folder, options.memory_rows))
    return batch_tables.report(results)
