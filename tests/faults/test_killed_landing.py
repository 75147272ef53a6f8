"""`penstock land` killed, interrupted, or out of room: the lake has the old month or the new one, whole.

Kills come at seeded moments of a landing that takes long enough to be met at work, and right before
each step of a small one that changes names on the disk, so that the instant of the switch is met too.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from tests.faults.landings import NAME, Project, Sources, land, make_sources, month_of
from tests.support.polling import wait_until

ROWS, SMALL = 300_000, 2_000
MOMENTS, SEED = 16, 7


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return make_sources(tmp_path_factory.mktemp("large"), ROWS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return make_sources(tmp_path_factory.mktemp("small"), SMALL)


def check_killed(project: Project, sources: Sources, scenario: str) -> None:
    """Old or new and whole after the kill; the same command again ends as if there had been none."""
    new = month_of(sources.landed(sources.new))
    if scenario == "repaired":
        assert month_of(project.live()) == new
        assert all("a truncated file, 1,000 bytes" in found for found in project.damage())
    else:
        before = month_of(sources.landed(sources.old)) if scenario == "replaced" else None
        assert month_of(project.live()) in (before, new)
        assert project.damage() == []
    code, output = project.run(*land(sources.new))
    assert code == 0, output
    entry = project.live()
    assert entry is not None and month_of(entry) == new
    assert project.damage() == []
    assert pq.ParquetFile(str(entry.path(project.lake))).metadata.num_rows == entry.rows
    project.check_clean()


def moments() -> Iterator[tuple[str, float]]:
    """(scenario, share of an undisturbed landing after which to kill)."""
    chance = random.Random(SEED)
    for number in range(MOMENTS):
        yield ("landed", "replaced")[number % 2], round(chance.uniform(0, 1), 3)


@pytest.mark.parametrize(("scenario", "share"), list(moments()))
def test_a_kill_at_any_moment(tmp_path: Path, large: Sources, scenario: str, share: float) -> None:
    project = large.project(tmp_path / "p", scenario)
    running = project.start(*land(large.new))
    time.sleep(share * large.seconds)
    running.process.kill()
    running.end()
    check_killed(project, large, scenario)


@pytest.mark.core
@pytest.mark.parametrize("scenario", ["landed", "replaced", "repaired"])
def test_a_kill_before_every_step_on_the_disk(tmp_path: Path, small: Sources, scenario: str) -> None:
    running = small.project(tmp_path / "whole", scenario).start(*land(small.new))
    code, output = running.end()
    assert (code, scenario in output) == (0, True), output
    steps = running.steps
    assert steps > 5
    for step in range(1, steps + 1):
        project = small.project(tmp_path / str(step), scenario)
        code, output = project.run(*land(small.new), last_step=step)
        assert code == -signal.SIGKILL, output
        check_killed(project, small, scenario)


@pytest.mark.parametrize("scenario", ["landed", "replaced"])
@pytest.mark.parametrize("room", [1_000_000, 300])
def test_a_file_size_limit_refuses_the_landing(tmp_path: Path, large: Sources, scenario: str, room: int) -> None:
    """A limit of bytes stops either the landed file or the commit; the small one lets nothing be written."""
    project = large.project(tmp_path / "p", scenario)
    check_no_room(project, large, scenario, *project.run(*land(large.new), file_bytes=room), "File too large")


def check_no_room(
    project: Project, sources: Sources, scenario: str, code: int | None, output: str, reason: str
) -> None:
    """A plain error, the lake as before, nothing left over; the same command works once there is room."""
    assert code == 1, output
    assert f"needed: a lake folder that can be written. found: {project.lake}: " in output and reason in output
    assert "do: free disk space" in output and "Traceback" not in output
    before = month_of(sources.landed(sources.old)) if scenario == "replaced" else None
    assert month_of(project.live()) == before
    assert project.damage() == []
    project.check_clean()
    code, output = project.run(*land(sources.new))
    assert (code, scenario in output) == (0, True), output
    assert month_of(project.live()) == month_of(sources.landed(sources.new))


@pytest.mark.core
@pytest.mark.parametrize("scenario", ["landed", "replaced"])
def test_a_full_disk_refuses_the_landing(tmp_path: Path, large: Sources, scenario: str) -> None:
    project = large.project(tmp_path / "p", scenario)
    moved = tmp_path / "aside"
    if project.lake.exists():
        project.lake.rename(moved)
    project.lake.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(project.lake)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        if moved.exists():
            shutil.copytree(moved, project.lake, dirs_exist_ok=True)
        filler = project.lake.parent / "lake" / ".filler"
        with filler.open("wb") as file:
            file.write(bytes(shutil.disk_usage(project.lake).free - 2**20))
        code, output = project.run(*land(large.new))
        assert shutil.disk_usage(project.lake).free > 2**19
        filler.unlink()
        check_no_room(project, large, scenario, code, output, "No space left on device")
    finally:
        subprocess.run(["umount", "-l", str(project.lake)], check=True)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_an_interrupt_says_what_to_type(tmp_path: Path, large: Sources, kind: str) -> None:
    """Pyarrow has handlers of its own while it reads a CSV."""
    source = large.new
    if kind == "csv":
        source = tmp_path / NAME.replace("parquet", "csv")
        pacsv.write_csv(pq.read_table(large.new), source)
    project = large.project(tmp_path / "p", "replaced")
    before = project.files()
    running = project.start(*land(source))

    def writes() -> bool:
        assert running.process.is_alive(), running.end()
        return bool(list(project.lake.glob(".staging/*/part-0.parquet")))

    wait_until(writes, "the landing writes", pause=0.01)
    assert running.process.pid is not None
    os.kill(running.process.pid, signal.SIGINT)
    code, output = running.end()
    assert code == 130, output
    assert "found: interrupted" in output and "Traceback" not in output
    assert f"do: `penstock land yellow 2023-01 --from {source.parent}`" in output
    assert month_of(project.live()) == month_of(large.landed(large.old))
    assert project.files() == before
    code, output = project.run(*land(source))
    assert (code, "replaced" in output) == (0, True), output
    assert project.damage() == []
