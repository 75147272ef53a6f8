"""Landing and clean-up are correct when the system clock jumps forward or back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from penstock import clock
from penstock.lake import landing
from penstock.lake.cleanup import clean
from penstock.lake.manifest_table import write_snapshot

from .conftest import GreenFile, Project

DAY = timedelta(days=1)
LAND = ("land", "green", "2021-01", "--from", "../files")
JUMPS = [(0, 400), (0, -400), (400, -400), (-400, 400)]


class Clock:
    """A clock with an adjustable offset from the present."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.offset


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made.now)
    return made


def live_folder(project: Project) -> str:
    (entry,) = project.manifest.live().values()
    return entry.folder


def folders(project: Project) -> set[str]:
    return {p.relative_to(project.lake).as_posix() for p in project.lake.glob("*/file_month=*/*")}


@pytest.mark.parametrize(("first", "second"), JUMPS)
def test_the_last_commit_is_live_whatever_the_clock_shows(
    project: Project, green_file: GreenFile, set_clock: Clock, first: int, second: int
) -> None:
    for days, fare in ((first, 1.0), (second, 2.0)):
        set_clock.offset = days * DAY
        green_file(fare=fare)
        assert project.penstock(*LAND).code == 0
    old, new = project.manifest.entries()
    assert (new.landed_at > old.landed_at) == (second > first)
    assert live_folder(project) == new.folder != old.folder
    assert str(project.rows("green", "2021-01").column("fare_amount")[0]) == "2.00"
    assert "unchanged" in project.penstock(*LAND).text
    version, path = write_snapshot(project.manifest)
    assert (version, path.parent.name) == (2, "0000000002")


@pytest.mark.parametrize("landed", [-400, 0, 400])
@pytest.mark.parametrize("cleaned", [-400, 0, 400])
def test_clean_keeps_live_folders_and_those_superseded_in_the_future(
    project: Project, green_file: GreenFile, set_clock: Clock, landed: int, cleaned: int
) -> None:
    for fare in (1.0, 2.0):
        set_clock.offset = landed * DAY
        green_file(fare=fare)
        project.penstock(*LAND)
    old, live = (entry.folder for entry in project.manifest.entries())
    set_clock.offset = cleaned * DAY
    clean(project.lake, 7 * DAY)
    assert folders(project) == ({live} if cleaned > landed else {old, live})
    clean(project.lake, 0 * DAY)
    assert folders(project) == ({live} if cleaned >= landed else {old, live})
    assert project.rows("green", "2021-01").num_rows == 3
    # Once the clock has passed that time, the folder is removed.
    set_clock.offset = 401 * DAY
    clean(project.lake, 0 * DAY)
    assert folders(project) == {live}


def test_a_folder_that_is_live_again_under_an_earlier_clock_stays(
    project: Project, green_file: GreenFile, set_clock: Clock
) -> None:
    for days, fare in ((400, 1.0), (0, 2.0), (-400, 1.0)):
        set_clock.offset = days * DAY
        green_file(fare=fare)
        project.penstock(*LAND)
    first, second, third = project.manifest.entries()
    assert first.folder == third.folder == live_folder(project)
    set_clock.offset = 401 * DAY
    clean(project.lake, 0 * DAY)
    assert folders(project) == {third.folder}
    assert second.folder not in folders(project)


@pytest.mark.parametrize("days", [400, -400])
def test_clean_after_a_clock_jump_leaves_a_running_landing_alone(
    project: Project, green_file: GreenFile, set_clock: Clock, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    green_file()
    flush = landing._flush

    def jump(*arguments: object) -> None:
        set_clock.offset = days * DAY
        assert clean(project.lake, 0 * DAY) == []
        flush(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(landing, "_flush", jump)
    answer = project.penstock(*LAND)
    assert answer.code == 0, answer.text
    assert project.rows("green", "2021-01").num_rows == 3
    assert [p.name for p in (project.lake / ".staging").iterdir() if p.name != "downloads"] == []


def test_a_grace_period_longer_than_the_calendar_keeps_everything(project: Project, green_file: GreenFile) -> None:
    for fare in (1.0, 2.0):
        green_file(fare=fare)
        project.penstock(*LAND)
    assert "0 removed" in project.penstock("clean", "--grace", "999999d").text
