"""One batch by cron and by systemd: the files as they are shipped, their calendar, and the lock between two runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psutil
import pytest

from penstock.spark.server import control
from tests.reach.external_tools import missing
from tests.support.polling import LIMIT, wait_until
from tests.support.projects import ROOT, Project, small_project

PLACE = "/srv/trips"
CRON = ROOT / "orchestration" / "cron" / "penstock"
UNITS = ROOT / "orchestration" / "systemd"
LOCKED = 75
# It keeps the interval it was given.
MODEL = """
select '{{ invocation_args_dict.get("event_time_start") }}' as begins,
    '{{ invocation_args_dict.get("event_time_end") }}' as ends
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A small project with the checkout's scripts and environment, its server up."""
    root = tmp_path_factory.mktemp("timed") / "trips"
    made = small_project(root, {"models/interval.sql": MODEL})
    for name in ("orchestration", ".venv"):
        (root / name).symlink_to(ROOT / name)
    try:
        assert made.penstock("up").returncode == 0
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="module")
def analyze() -> str:
    """systemd's own checker."""
    found = shutil.which("systemd-analyze")
    if found is None:
        missing("needed: systemd-analyze. found: none. do: Debian: apt-get install systemd")
    return found


def lines(commented: bool = False) -> list[tuple[str, str]]:
    """The schedule and command of each line of the cron file."""
    start = "# " if commented else ""
    pattern = re.compile(rf"^{start}((?:[\d*/,-]+ ){{5}})(.+)$", re.MULTILINE)
    return [(schedule.strip(), command) for schedule, command in pattern.findall(CRON.read_text())]


def environment(project: Project) -> dict[str, str]:
    """What cron gives a command: next to nothing. The small project has no lake."""
    return {
        "HOME": str(project.root),
        "LOGNAME": "trips",
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
        "PENSTOCK_LAND": "",
    }


def begin(project: Project, command: str, **more: str) -> subprocess.Popen[str]:
    """The command as cron runs it."""
    return subprocess.Popen(
        ["/bin/sh", "-c", command.replace(PLACE, str(project.root))],
        cwd=project.root,
        env={**environment(project), **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process and its children stand still for as long as the block lasts."""
    process = psutil.Process(pid)
    process.suspend()  # first, so that it starts no more children
    family = [process]
    try:
        for child in process.children(recursive=True):
            child.suspend()
            family.append(child)
        yield
    finally:
        for one in family:
            one.resume()


def interval(project: Project) -> tuple[str, str]:
    """What the model says that it was built for."""
    ((begins, ends),) = project.sql("select begins, ends from small.interval")
    return str(begins)[:10], str(ends)[:10]


def months_ago(count: int) -> str:
    """The first day of a month before this one."""
    months = date.today().year * 12 + date.today().month - 1 - count
    return str(date(months // 12, months % 12 + 1, 1))


@pytest.mark.core
def test_two_runs_of_the_cron_line_keep_apart(project: Project) -> None:
    """The first is at work when the second comes, which is told so; the same line runs again afterwards."""
    ((schedule, command),) = lines()
    assert schedule == "0 6 3 * *"
    first = begin(project, command)
    second = None
    try:
        lock = project.root / ".penstock" / "batch.lock"

        def is_locked() -> bool:
            assert first.poll() is None, first.communicate()[0]
            return lock.exists() and bool(lock.read_text().strip())

        wait_until(is_locked, "the first run has the lock", pause=0.01)
        with stopped(first.pid):
            second = begin(project, command)
            refused = second.communicate(timeout=LIMIT)[0]
        assert first.poll() is None, first.communicate()[0]
        assert second.returncode == LOCKED, refused
        assert "found: another one, begun 20" in refused and "do: wait" in refused
        output = first.communicate(timeout=LIMIT)[0]
        assert first.returncode == 0 and "Completed successfully" in output, output
    finally:
        for run in (first, second):
            if run and run.poll() is None:
                run.kill()
                run.wait()
    # Published by then: three months ago.
    assert interval(project) == (months_ago(3), months_ago(2))
    # The server that is still up has not kept the lock.
    assert control.current(project.settings)
    again = begin(project, command)
    assert "Completed successfully" in again.communicate(timeout=LIMIT)[0]
    assert again.returncode == 0


def test_the_daily_line_hands_no_interval_on(project: Project) -> None:
    """The line that stands there as a comment; its folder is not there, and nothing is landed from it."""
    ((schedule, command),) = lines(commented=True)
    assert schedule == "0 6 * * *" and command.startswith("PENSTOCK_FROM=")
    run = begin(project, command)
    output = run.communicate(timeout=LIMIT)[0]
    assert run.returncode == 0 and "--event-time" not in output, output


def test_the_last_month_is_the_one_that_has_ended(project: Project) -> None:
    run = begin(project, f"{PLACE}/orchestration/batch last")
    output = run.communicate(timeout=LIMIT)[0]
    assert run.returncode == 0, output
    assert interval(project) == (months_ago(1), months_ago(0))


@pytest.mark.parametrize("word", ["2024-13", "january", "2024-1", "--help"])
def test_what_is_no_month_is_refused(project: Project, word: str) -> None:
    run = begin(project, f"{PLACE}/orchestration/batch {word}")
    output = run.communicate(timeout=LIMIT)[0]
    assert run.returncode == 2, output
    assert f"found: `{word}`" in output and "do: " in output


def test_a_month_across_the_year_is_whole(project: Project) -> None:
    """December ends with the next year."""
    run = begin(project, f"{PLACE}/orchestration/batch 2023-12")
    output = run.communicate(timeout=LIMIT)[0]
    assert run.returncode == 0 and "--event-time-start 2023-12-01 --event-time-end 2024-01-01" in output, output
    assert interval(project) == ("2023-12-01", "2024-01-01")


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The units as a user has them, with a folder that is there."""
    folder = tmp_path_factory.mktemp("units")
    made = []
    for unit in sorted(UNITS.iterdir()):
        text = unit.read_text()
        assert PLACE in text
        made.append(folder / unit.name)
        made[-1].write_text(text.replace(PLACE, str(ROOT)))
    assert [unit.name for unit in made] == ["penstock-batch.service", "penstock-batch.timer"]
    return made


def test_the_units_are_valid(analyze: str, units: list[Path]) -> None:
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_unit_without_its_program_is_not_valid(analyze: str, units: list[Path], tmp_path: Path) -> None:
    """The check can fail: the shipped folder isn't there."""
    unit = tmp_path / units[0].name
    unit.write_text(units[0].read_text().replace(str(ROOT), str(tmp_path)))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, timeout=LIMIT)
    assert "orchestration/batch" in done.stderr


def test_the_service_is_bounded(analyze: str, units: list[Path]) -> None:
    """systemd's own estimate, from 0 (closed) to 10; a service without options has 9.6. The threshold is tenths."""
    command = [analyze, "security", "--offline=true", "--threshold=25", str(units[0])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if "unrecognized option" in done.stderr:
        pytest.skip("systemd-analyze security --offline is of systemd 250 and later")
    assert done.returncode == 0, done.stdout[-600:]


def test_the_timer_is_monthly_and_catches_up(analyze: str) -> None:
    """The third of each month at six, five months in a row; the cron line says the same."""
    timer = (UNITS / "penstock-batch.timer").read_text()
    assert "\nPersistent=true\n" in timer
    found = re.search(r"^OnCalendar=(.+)$", timer, re.MULTILINE)
    assert found
    done = subprocess.run(
        [analyze, "calendar", "--iterations=5", found[1]],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env={"TZ": "UTC"},
    )
    assert done.returncode == 0, done.stderr
    days = re.findall(r"(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)", done.stdout)
    assert len(days) == 5 and {day[2:] for day in days} == {("03", "06:00:00")}, done.stdout
    months = [int(year) * 12 + int(month) for year, month, _, _ in days]
    assert months == list(range(months[0], months[0] + 5))
    ((schedule, command),) = lines()
    minute, hour, day, *rest = schedule.split()
    assert (minute, hour, day, rest) == ("0", "6", "3", ["*", "*"])
    variable, _, program = command.partition(" ")
    service = (UNITS / "penstock-batch.service").read_text()
    assert f"\nEnvironment={variable}\n" in service and f"\nExecStart={program}\n" in service
