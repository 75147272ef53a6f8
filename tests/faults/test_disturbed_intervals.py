"""A month's run with a full disk, a damaged lake, another backfill beside it, a clock that jumps, Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from penstock.lake.manifest import LANDED_FILE, Manifest
from tests.faults.trips_project import CHANGING, INCREMENTAL, MONTHS, WAIT, Trips, raw
from tests.support.paths import local_path
from tests.support.polling import wait_until

FAKETIME = shutil.which("faketime")


def test_a_full_disk(trips: Trips) -> None:
    """The run says what happened; the tables are as they were; once there is room, dbt's retry is enough."""
    if not trips.has_disk:
        pytest.skip("a small file system can only be mounted by root")
    before = trips.sums()
    trips.change()
    filler = local_path(trips.project.settings.warehouse_dir) / "filler"
    room = os.statvfs(filler.parent)
    try:
        filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 65536))
        full = trips.project.dbt(*INCREMENTAL)
        assert full.returncode == 1, full.stdout
        assert "No space left on device" in full.stdout and "Traceback" not in full.stdout
        assert trips.sums() == before
    finally:
        filler.unlink()
    trips.run("retry")
    assert trips.is_clean()


def _cut(file: Path, other: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _replaced(file: Path, other: Path) -> None:
    shutil.copy(other, file)


def _removed(file: Path, other: Path) -> None:
    file.unlink()


def test_a_damaged_lake_file(trips: Trips) -> None:
    """Between landing and reading the file goes wrong: nothing is built from it, and the message has the repair."""
    before = trips.sums()
    trips.change()
    lake = local_path(trips.project.settings.lake_dir)
    live = {month: entry for (name, month), entry in Manifest(lake).live().items() if name == "green"}
    file, other = (lake / live[month].folder / LANDED_FILE for month in (max(live), min(live)))
    for damage in (_cut, _replaced, _removed):
        damage(file, other)
        refused = trips.project.dbt(*INCREMENTAL)
        assert refused.returncode == 1, refused.stdout
        assert "needed: the landed files of the lake" in refused.stdout and f"green {MONTHS[-1]}" in refused.stdout
        assert "Traceback" not in refused.stdout
        assert trips.sums() == before, "nothing was built"
        command = refused.stdout.split("`penstock land ")[1].split("`")[0].split()
        repaired = trips.project.penstock("land", *command)
        assert repaired.returncode == 0 and "repaired" in repaired.stdout, repaired.stdout
    trips.run("retry")
    assert trips.is_clean()


def test_two_backfills_of_the_same_months(trips: Trips) -> None:
    """One waits for the other and finds everything built; no row is there twice."""
    trips.version = 1 - trips.version
    folder = raw(trips.files, trips.version, "green", MONTHS[-1]).parent
    trips.land(trips.version, datasets=("yellow",))
    command = ("backfill", "green", MONTHS[-1], MONTHS[-1], "--from", str(folder))
    both = [trips.begin_program("penstock", *command) for _ in range(2)]
    outputs = [run.communicate(timeout=WAIT)[0] for run in both]
    assert [run.returncode for run in both] == [0, 0], "\n".join(outputs)
    assert sum("waiting for it" in text for text in outputs) == 1, "\n".join(outputs)
    trips.run()
    assert trips.is_clean()


def test_two_runs_of_the_same_month(trips: Trips) -> None:
    """Two whole runs at once, views and all: each ends well, and the month is there once."""
    trips.change()
    both = [
        trips.begin("run", "--target-path", f"target-{number}", "--log-path", f"logs-{number}") for number in (1, 2)
    ]
    outputs = [run.communicate(timeout=WAIT)[0] for run in both]
    assert [run.returncode for run in both] == [0, 0], "\n".join(outputs)
    assert trips.is_clean()
    assert "built" not in trips.run(*INCREMENTAL).stdout


@pytest.mark.skipif(FAKETIME is None, reason="needs faketime, as `apt-get install faketime` brings it")
@pytest.mark.parametrize("jump", ["-3000d", "+3000d"])
def test_a_clock_that_jumps(trips: Trips, jump: str) -> None:
    """Years back or ahead for landing and dbt: the same intervals are built, and the next run agrees."""
    trips.version = 1 - trips.version
    for dataset in CHANGING:
        folder = raw(trips.files, trips.version, dataset, MONTHS[-1]).parent
        words = ("-f", jump, "penstock", "land", dataset, MONTHS[-1], "--from", str(folder))
        landed = trips.project.program(str(FAKETIME), *words)
        assert landed.returncode == 0, landed.stdout
    jumped = trips.project.program(str(FAKETIME), "-f", jump, "dbt", "--no-use-colors", *INCREMENTAL)
    assert jumped.returncode == 0, jumped.stdout
    assert f"built {MONTHS[-1]}" in jumped.stdout
    assert trips.is_clean()
    assert "built" not in trips.run(*INCREMENTAL).stdout


@pytest.mark.parametrize("program", ["dbt", "penstock"])
def test_ctrl_c(trips: Trips, program: str) -> None:
    """An interruption in the middle: it says what to type next, and that is enough."""
    trips.version = 1 - trips.version
    if program == "dbt":
        trips.land(trips.version)
        command: tuple[str, ...] = INCREMENTAL
    else:
        trips.land(trips.version, datasets=("yellow",))
        folder = raw(trips.files, trips.version, "green", MONTHS[-1]).parent
        command = ("backfill", "green", MONTHS[-1], MONTHS[-1], "--from", str(folder))
    run = trips.begin_program(program, *command)
    notes, begun = trips.project.root / "target" / "intervals", time.time()

    def commits() -> bool:
        assert run.poll() is None, run.communicate()[0]
        return any(note.stat().st_mtime > begun for note in notes.glob("*.json"))

    wait_until(commits, "a commit begins", pause=0.02)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=WAIT)
    assert run.returncode != 0, output
    # dbt prints where its own code was.
    assert program == "dbt" or "Traceback" not in output, output
    assert (
        "`dbt run` builds what is missing" if program == "dbt" else "Run the same command again to continue"
    ) in output
    if program == "penstock":
        assert trips.project.penstock(*command).returncode == 0
    trips.run()
    assert trips.is_clean()
