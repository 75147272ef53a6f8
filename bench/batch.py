"""What one more month costs, and what keeps it so: `dbt run` month by month, with nothing to do, by threads.

    .venv/bin/python bench/batch.py [--months 36] [--rows 60000] [--only PARTS] [--write-docs]

* months: made rows of one size land month by month, and one `dbt run` builds each.
* nochange: `dbt run` when nothing changed, and what Spark was asked then.
* threads: one month built again with 1, 2 and 4 threads, in turns.
* peer: one more month by `interval`, by dbt's `microbatch`, and as a table built anew.
* memory: backfills with 1 GB of heap, of few rows and of ten times as many.

The first three share a project and a server that a month built three times has warmed up; the others
have servers of their own. With --results FILE what was measured is kept there, part by part, and parts
that are left out are taken from it. --write-docs puts the figures into docs/operations.md.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import batch_docs
import batch_memory
import batch_peer
from batch_project import LEDGER, Cost, Place
from batch_results import WARM, Months, NoChange, Threads, read

MEMORY, BEGIN = "3g", date(2022, 1, 1)
FEWEST = WARM + 4
COUNTS = ("1", "2", "4")
SHARED = ("months", "nochange", "threads")


def month(number: int) -> date:
    """The first day of month `number`; 0 warms the server up."""
    return batch_peer.month_before(BEGIN, 1 - number)


def warm(place: Place, rows: int) -> None:
    """Seeds, and month 0 built three times."""
    place.land(f"{month(0):%Y-%m}", rows)
    place.run("dbt", "seed")
    place.run("dbt", "run")
    for _ in range(2):
        place.rebuild(f"{month(0)}", f"{month(1)}")


def months(place: Place, count: int, rows: int) -> Months:
    """Land and build months one after another; end the bench when a run built anything but its month."""
    names, costs = [f"{month(number):%Y-%m}" for number in range(1, count + 1)], []
    for number, name in enumerate(names, 1):
        place.land(name, rows)
        cost = place.run("dbt", "run")
        costs.append(cost)
        figures = f"{cost.wall:6.1f} s, Spark's CPU {cost.spark:6.1f} s, dbt's CPU {cost.client:5.1f} s"
        print(f"month {number:2} {name}: {figures}", flush=True)
    asked = f"select count(*), count(distinct relation) from {LEDGER} where interval_start >= date'{month(1)}'"
    built = place.query(f"{asked} and outcome = 'built' group by interval_start")
    if len(set(built)) != 1 or len(built) != count:
        sys.exit(f"each month is built once in the same tables; found {built}")
    return Months(rows, MEMORY, names, costs, int(built[0][1]))


def nochange(place: Place, count: int, runs: int) -> NoChange:
    """`dbt run` several times, with nothing landed."""
    costs: list[Cost] = []
    jobs, reading, versions = [], [], []
    for _ in range(runs):
        before = place.versions()
        job = place.last_job()
        costs.append(place.run("dbt", "run"))
        new, scanning = place.jobs_since(job)
        jobs.append(new)
        reading.append(scanning)
        versions.append(sum(place.versions().values()) - sum(before.values()))
    return NoChange(count, costs, *(round(statistics.median(found)) for found in (jobs, reading, versions)))


def threads(place: Place, rounds: int, rows: int) -> Threads:
    """Month 1 built again, with each number of threads in turns."""
    costs: dict[str, list[Cost]] = {count: [] for count in COUNTS}
    for _ in range(rounds):
        for count, found in costs.items():
            found.append(place.rebuild(f"{month(1)}", f"{month(2)}", "--threads", count))
    return Threads(rounds, rows, costs)


def shared(top: Path, given: argparse.Namespace, chosen: list[str], keep: Any) -> None:
    """The parts on one warm server."""
    with Place(top / "months", MEMORY) as place:
        warm(place, given.rows)
        if "months" in chosen:
            keep("months", months(place, given.months, given.rows))
        else:
            place.land(f"{month(1):%Y-%m}..{month(given.months):%Y-%m}", given.months * given.rows)
            place.run("dbt", "run")
        if "nochange" in chosen:
            keep("nochange", nochange(place, given.months, given.runs))
        if "threads" in chosen:
            keep("threads", threads(place, given.rounds, given.rows))


def main() -> None:
    """Measure, print, and write the docs when asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--months", type=int, default=36, help=f"at least {FEWEST}")
    parser.add_argument("--rows", type=int, default=60_000, help="rows of each of these months")
    parser.add_argument("--runs", type=int, default=5, help="runs with nothing to do")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of threads and of the peer")
    parser.add_argument("--peer-rows", type=int, default=1_000_000, help="rows of each of the peer's 12 months")
    parser.add_argument("--memory-rows", type=int, default=100_000, help="rows of each month of the smaller backfill")
    parser.add_argument("--only", default=",".join(batch_docs.PARTS), help="which of " + ", ".join(batch_docs.PARTS))
    parser.add_argument("--results", type=Path, help="JSON file that keeps what was measured")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/operations.md")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name]
    if unknown := set(chosen) - batch_docs.PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(batch_docs.PARTS)}")
    if given.months < FEWEST:
        parser.error(f"--months: {FEWEST} or more, to draw a line through them")
    data = json.loads(given.results.read_text()) if given.results and given.results.exists() else {}
    results = {name: read(name, item) for name, item in data.items()}
    # Told to end, it stops its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    def keep(name: str, found: Any) -> None:
        results[name] = found
        if given.results:
            given.results.write_text(json.dumps({name: asdict(item) for name, item in results.items()}))
        print("\n".join(["", *batch_docs.PARTS[name](found), ""]), flush=True)

    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        if set(SHARED) & set(chosen):
            shared(top, given, chosen, keep)
        if "peer" in chosen:
            keep("peer", batch_peer.measure(top, given.peer_rows, given.rounds))
        if "memory" in chosen:
            keep("memory", batch_memory.measure(top, given.memory_rows))
    if given.write_docs:
        batch_docs.write(results)


if __name__ == "__main__":
    main()
