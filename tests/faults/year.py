"""A year of months backfilled with kills throughout, beside the same year undisturbed: their tables by checksum.

Too long for every run of CI: `python -m tests.faults.year`. Months for which PENSTOCK_TLC_DATA has a green file are
real, the rest is made. dbt, Spark and the metastore are killed in turn, at seeded moments, until the same
command has come to its end; each time it is typed again and nothing else is done.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import psutil

from penstock.intervals.grain import GRAINS
from penstock.lake.sample import SampleMonth, write_raw
from penstock.spark.server import control
from tests.faults.trips_project import TABLES, WAIT, Sums, Trips, kill_and_wait
from tests.support.projects import make_project

FIRST, LAST = date(2023, 6, 1), date(2024, 5, 1)
ROWS = 20_000
# What a backfill of green builds.
OF_GREEN = tuple(table for table in TABLES if "fhvhv" not in table)
VICTIMS = ("penstock", "spark", "penstock", "metastore")
# Seconds after which something is killed: some months of progress, so that the year comes to an end.
BETWEEN = (20.0, 75.0)


def files(folder: Path) -> int:
    """Fill a folder with the year's green files; how many of them are real."""
    data, month, real = os.environ.get("PENSTOCK_TLC_DATA"), FIRST, 0
    folder.mkdir()
    while month <= LAST:
        name = f"green_tripdata_{month:%Y-%m}.parquet"
        source = Path(data or ".") / "green" / name
        if data and source.exists():
            shutil.copy(source, folder / name)
            real += 1
        else:
            write_raw(SampleMonth("green", month, ROWS, seed=1), folder / name)
        month = GRAINS["month"].following(month)
    return real


def backfill(trips: Trips) -> subprocess.Popen[str]:
    """The one command."""
    months = (f"{FIRST:%Y-%m}", f"{LAST:%Y-%m}")
    return trips.begin_program("penstock", "backfill", "green", *months, "--from", str(trips.files))


def undisturbed(root: Path, raw: Path) -> tuple[Sums, float]:
    """The year's tables, and how many seconds the backfill took."""
    trips = Trips(make_project(root, memory="2g"), raw, tables=OF_GREEN)
    began = time.monotonic()
    try:
        run = backfill(trips)
        output, _ = run.communicate(timeout=4 * WAIT)
        assert run.returncode == 0, output
        return trips.sums(), time.monotonic() - began
    finally:
        control.down(trips.project.settings)


def struck_down(trips: Trips, run: subprocess.Popen[str], victim: str) -> bool:
    """Kill the command, Spark or the metastore; False when no server is up to be killed just then."""
    if victim == "penstock":
        run.kill()
        run.wait()
        return True
    running = control.current(trips.project.settings)
    process = getattr(running, victim) if running else None
    if process is None:
        return False
    kill_and_wait(psutil.Process(process.pid))
    return True


def disturbed(root: Path, raw: Path, seed: int) -> tuple[Sums, list[str]]:
    """The same year's tables when something is killed again and again, and what was killed."""
    trips = Trips(make_project(root, memory="2g"), raw, tables=OF_GREEN)
    chance, struck, began = random.Random(seed), [], time.monotonic()  # type: random.Random, list[str], float
    run = backfill(trips)
    try:
        while run.returncode != 0:
            victim, until = VICTIMS[len(struck) % len(VICTIMS)], time.monotonic() + chance.uniform(*BETWEEN)
            # A backfill that finds a new server goes on by itself: it is typed again when it has ended.
            while run.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            if run.poll() is None:
                if struck_down(trips, run, victim):
                    struck.append(victim)
                    print(f"{time.monotonic() - began:5.0f} s: killed {victim}", flush=True)
                continue
            errors = [line for line in run.communicate()[0].splitlines() if "found:" in line]
            print(
                f"{time.monotonic() - began:5.0f} s: it ended with {run.returncode}: {' '.join(errors).strip()}",
                flush=True,
            )
            run = run if run.returncode == 0 else backfill(trips)
        assert trips.project.penstock("up").returncode == 0
        return trips.sums(), struck
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()
        control.down(trips.project.settings)


def main() -> int:
    """Compare both; the exit code."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        real = files(root / "raw")
        clean, seconds = undisturbed(root / "clean", root / "raw")
        print(f"12 months, {real} of them real, undisturbed: {seconds:.0f} s", flush=True)
        after, struck = disturbed(root / "killed", root / "raw", seed=6)
        for table in sorted({key[0] for key in clean}):
            mine = {key: value for key, value in clean.items() if key[0] == table}
            same = mine == {key: value for key, value in after.items() if key[0] == table}
            rows, mark = sum(int(value[0]) for value in mine.values()), sum(int(value[1]) for value in mine.values())
            print(f"{table:<34} {len(mine):>3} months {rows:>9,} rows  checksum {mark & (2**64 - 1):016x}  {same}")
        print(f"{len(struck)} kills; tables {'equal' if clean == after else 'DIFFER'}")
        return 0 if clean == after else 1


if __name__ == "__main__":
    sys.exit(main())
