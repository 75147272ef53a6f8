"""What a build costs beside another commit: CPU seconds, SQL statements and wall seconds, in one run.

    .venv/bin/python bench/against.py COMMIT [--rounds 1] [--write-docs]     # make bench-against COMMIT=…
    .venv/bin/python bench/against.py --only-ours --folder DIR [--server-options='-XX:…'] [--spark-conf k=v]

Each side is a copy of the project with its own server, as the commit ships it. The sample has landed, everything
was built once, and the server was stopped, which also leaves the archive of loaded classes. Then, in turns:

* build: `dbt build` three times with nothing changed. The first of all steps starts the server.
* test, run: `dbt test`, and `dbt run` with nothing changed.
* month: one more month lands, and `dbt run` builds it.

Models tagged `ml` are left out. CPU seconds are those of Spark, the metastore, the supervisor and dbt; of a step is
also what Spark still does when dbt has ended. Statements are counted in dbt's debug log: it has none of those that set
a session up. --only-ours measures this checkout alone. With --folder the copies stay, and their tables are built again
only when the project's files changed. --write-docs puts the tables into docs/speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path

import psutil
from against_copy import CHECKOUT, git
from against_results import Cost, Results, other_threads, read, report_tables, write
from against_side import Side

STEPS = ("build", "test", "run", "month")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit", nargs="?", help="commit to measure against")
    parser.add_argument("--only-ours", action="store_true", help="measure this checkout alone")
    parser.add_argument("--rows", type=int, default=160_000, help="rows of the sample")
    parser.add_argument("--month-rows", type=int, default=60_000, help="rows of the month that lands later")
    parser.add_argument("--builds", type=int, default=3, help="builds on one server")
    parser.add_argument(
        "--rounds", type=int, default=1, help="rounds, each with fresh servers; the tables have medians"
    )
    parser.add_argument("--steps", default=",".join(STEPS), help=f"which of {', '.join(STEPS)}")
    parser.add_argument("--server-options", default="", help="more options of this checkout's Spark JVM")
    parser.add_argument("--spark-conf", action="append", default=[], metavar="KEY=VALUE", help="more Spark settings")
    parser.add_argument("--env-from", type=Path, help="environment (.venv) whose packages the commit uses")
    parser.add_argument("--folder", type=Path, help="folder that keeps the copies for the next run")
    parser.add_argument("--results", type=Path, help="JSON file for what was measured")
    parser.add_argument("--from-results", type=Path, help="measure nothing: show what this JSON file has")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/speed.md")
    given = parser.parse_args()
    if not given.from_results and bool(given.commit) == given.only_ours:
        parser.error("name a commit, or give --only-ours")
    if given.write_docs and given.only_ours:
        parser.error("--write-docs needs a commit to measure against")
    if wrong := [item for item in given.spark_conf if "=" not in item]:
        parser.error(f"--spark-conf KEY=VALUE, not {wrong[0]}")
    if unknown := set(given.steps.split(",")) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}")
    return given


def progress(side: str, step: str, cost: Cost) -> None:
    """Print a line for a step that was measured."""
    by = ", ".join(f"{role} {cpu:.1f}" for role, cpu in sorted(cost.processes.items(), key=lambda item: -item[1]))
    figures = f"{cost.cpu:6.1f} CPU s ({by}), {cost.statements} statements, {cost.wall:.1f} s, {cost.nodes} nodes"
    print(f"{side:14} {step:8} {figures}", flush=True)


def measure(given: argparse.Namespace, top: Path) -> Results:
    """Prepare the sides, then measure them in turns."""
    sides = []
    if given.commit:
        commit = git("rev-parse", "--short", f"{given.commit}^{{commit}}").decode().strip()
        sides.append(Side(commit, top / commit, given.env_from))
        sides[0].configure()
    ours = Side(CHECKOUT, top / "checkout")
    ours.configure(given.server_options, given.spark_conf)
    sides.append(ours)
    for side in sides:
        side.prepare(given.rows)
    wanted = given.steps.split(",")
    builds = given.builds if "build" in wanted else 0
    found: dict[str, dict[str, list[Cost]]] = {side.name: {} for side in sides}
    for _ in range(given.rounds):
        for side in sides:
            for step, cost in side.measure(builds, wanted, given.month_rows):
                found[side.name].setdefault(step, []).append(cost)
                progress(side.name, step, cost)
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {date.today():%Y-%m-%d}"
    return Results(given.rows, given.month_rows, machine, found)


def main() -> None:
    """Measure, print, and write the docs when asked to."""
    given = arguments()
    if not Path("/proc/self/task").exists():
        sys.exit("needed: /proc, to read the CPU seconds of threads. found: none. do: run it on Linux")
    # On SIGTERM the bench stops its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if given.from_results:
        found = read(json.loads(given.from_results.read_text()))
    else:
        with tempfile.TemporaryDirectory() as name:
            found = measure(given, (given.folder or Path(name)).resolve())
    if given.results:
        given.results.write_text(json.dumps(asdict(found)))
    print("\n".join(["", *report_tables(found), "", *other_threads(found)]), flush=True)
    if given.write_docs:
        write(found)


if __name__ == "__main__":
    main()
