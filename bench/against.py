"""Compare the cost of a build in this checkout and at another commit: CPU seconds, SQL statements, wall seconds.

    make bench NAME=against COMMIT=…
    .venv/bin/python bench/run.py against COMMIT [--rounds 1] [--write-docs]
    .venv/bin/python bench/run.py against --only-ours --folder DIR [--server-options='-XX:…'] [--spark-conf k=v]

Each side is a copy of the project at one commit, with its own server. To prepare a side, the benchmark lands the
sample, builds everything once, and stops the server, which then writes its class-data archive. The sides take turns
at these steps:

* build: `dbt build` three times with nothing changed. The first build also starts the server.
* test, run: `dbt test`, and `dbt run` with nothing changed.
* month: one more month lands, and `dbt run` builds it.

Models tagged `ml` are left out. CPU seconds are those of Spark, the metastore, the supervisor and dbt. They include
the work that Spark still does after dbt has ended. Statements are counted in dbt's debug log, which doesn't list the
statements that set up a session. --only-ours measures only this checkout. --folder keeps the copies, and a later run
builds their tables again only if the project's files have changed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

import psutil

from bench.against_copies import CHECKOUT, git
from bench.against_side import Side
from bench.against_tables import Cost, Results, other_threads, read, report_tables
from bench.options import comma_separated
from bench.report import DOCS, Page, Report

PAGES = (Page(DOCS / "explanation" / "speed.md", "made by bench/against.py", ("",)),)
STEPS = ("build", "test", "run", "month")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("commit", nargs="?", help="commit to measure against")
    parser.add_argument("--only-ours", action="store_true", help="measure this checkout alone")
    parser.add_argument("--rows", type=int, default=160_000, help="rows of the sample")
    parser.add_argument("--month-rows", type=int, default=60_000, help="rows of the month that lands later")
    parser.add_argument("--builds", type=int, default=3, help="builds on one server")
    parser.add_argument(
        "--rounds", type=int, default=1, help="rounds, each with fresh servers; the tables have medians"
    )
    steps = comma_separated(STEPS)
    parser.add_argument("--steps", type=steps, default=list(STEPS), help=f"some of {','.join(STEPS)}")
    parser.add_argument("--server-options", default="", help="more options of this checkout's Spark JVM")
    parser.add_argument("--spark-conf", action="append", default=[], metavar="KEY=VALUE", help="more Spark settings")
    parser.add_argument("--env-from", type=Path, help="environment (.venv) whose packages the commit uses")
    parser.add_argument("--folder", type=Path, help="folder that keeps the copies for the next run")
    parser.add_argument("--results", type=Path, help="JSON file that the results are written to")
    parser.add_argument("--from-results", type=Path, help="measure nothing: show the results in this JSON file")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error if options contradict each other."""
    if not options.from_results and bool(options.commit) == options.only_ours:
        parser.error("name a commit, or give --only-ours")
    if options.write_docs and options.only_ours:
        parser.error("--write-docs needs a commit to measure against")
    if wrong := [item for item in options.spark_conf if "=" not in item]:
        parser.error(f"--spark-conf KEY=VALUE, not {wrong[0]}")


def print_cost(side: str, step: str, cost: Cost) -> None:
    """Print a line with the cost of a step."""
    roles = ", ".join(f"{role} {cpu:.1f}" for role, cpu in sorted(cost.processes.items(), key=lambda item: -item[1]))
    figures = f"{cost.cpu:6.1f} CPU s ({roles}), {cost.statements} statements, {cost.wall:.1f} s, {cost.nodes} nodes"
    print(f"{side:14} {step:8} {figures}", flush=True)


def make_sides(options: argparse.Namespace, folder: Path) -> list[Side]:
    """Copy the project for each side, and build everything once on each."""
    sides = []
    if options.commit:
        commit = git("rev-parse", "--short", f"{options.commit}^{{commit}}").decode().strip()
        sides.append(Side(commit, folder / commit, options.env_from))
        sides[0].configure()
    ours = Side(CHECKOUT, folder / "checkout")
    ours.configure(options.server_options, options.spark_conf)
    sides.append(ours)
    for side in sides:
        side.prepare(options.rows)
    return sides


def measure_sides(options: argparse.Namespace, folder: Path) -> Results:
    """Measure the sides in turns."""
    sides = make_sides(options, folder)
    builds = options.builds if "build" in options.steps else 0
    costs: dict[str, dict[str, list[Cost]]] = {side.name: {} for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            for step, cost in side.measure(builds, options.steps, options.month_rows):
                costs[side.name].setdefault(step, []).append(cost)
                print_cost(side.name, step, cost)
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {date.today():%Y-%m-%d}"
    return Results(options.rows, options.month_rows, machine, costs)


def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Measure, or read earlier results."""
    if options.from_results:
        results = read(json.loads(options.from_results.read_text()))
    else:
        if not Path("/proc/self/task").exists():
            sys.exit("needed: /proc, to read the CPU seconds of threads. found: none. do: run it on Linux")
        results = measure_sides(options, (options.folder or folder).resolve())
    if options.results:
        options.results.write_text(json.dumps(asdict(results)))
    tables = report_tables(results)
    return Report([*tables, "", *other_threads(results)], {"": tables})
