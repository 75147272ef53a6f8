"""`penstock clean` removes superseded folders after the grace period, and never a live folder."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.lake.cleanup import parse_grace
from penstock.lake.download import RemoteFile, download_lock
from penstock.lake.manifest_table import write_snapshot
from penstock.lake.staging import downloads_folder

from .conftest import GreenFile, Project


def age(path: Path, days: int) -> None:
    """Move the modification times of a path and everything in it into the past."""
    for item in (path, *path.rglob("*")):
        stamp = item.stat().st_mtime - days * 86_400
        os.utime(item, (stamp, stamp))


def folders(project: Project) -> set[str]:
    return {p.relative_to(project.lake).as_posix() for p in project.lake.glob("*/file_month=*/*")}


def test_grace() -> None:
    assert parse_grace("7d") == timedelta(days=7)
    assert parse_grace("12h") == timedelta(hours=12)
    assert parse_grace("0m") == timedelta(0)
    for bad in ("7", "d", "-1d", "1.5h", "1w"):
        with pytest.raises(PenstockError):
            parse_grace(bad)


def test_superseded_folders_are_removed_after_the_grace_period(project: Project, green_file: GreenFile) -> None:
    arguments = ("land", "green", "2021-01", "--from", "../files")
    for fare in (1.0, 2.0):
        green_file(fare=fare)
        project.penstock(*arguments)
    old, live = (entry.folder for entry in project.manifest.entries())
    # The grace period starts at the commit that superseded the folder, whatever the files' age.
    age(project.lake / old, 30)
    assert "0 removed" in project.penstock("clean").text
    dry = project.penstock("clean", "--grace", "0d", "--dry-run")
    assert "superseded" in dry.text and "1 would be removed" in dry.text
    assert folders(project) == {old, live}
    assert "1 removed" in project.penstock("clean", "--grace", "0d").text
    assert folders(project) == {live}
    assert project.rows("green", "2021-01").num_rows == 3


def test_a_folder_that_is_live_again_stays(project: Project, green_file: GreenFile) -> None:
    for fare in (1.0, 2.0, 1.0):
        green_file(fare=fare)
        project.penstock("land", "green", "2021-01", "--from", "../files")
    project.penstock("clean", "--grace", "0d")
    assert folders(project) == {project.manifest.entries()[0].folder}
    assert project.rows("green", "2021-01").num_rows == 3


def test_old_remains_are_removed(project: Project, green_file: GreenFile) -> None:
    project.penstock("land", "green", "2021-01", "--from", str(green_file().parent))
    orphan = project.lake / "green" / "file_month=2021-02-01" / "0123456789abcdef"
    staging = project.lake / ".staging" / "dead"
    part = project.lake / ".staging" / "downloads" / "x.part"
    for path in (orphan / "part-0.parquet", staging / "part-0.parquet", part):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert "0 removed" in project.penstock("clean").text
    for path in (orphan, staging, part):
        age(path, 8)
    assert "3 removed" in project.penstock("clean").text
    assert not orphan.exists() and not staging.exists() and not part.exists()
    assert project.rows("green", "2021-01").num_rows == 3


def test_only_the_newest_snapshot_stays(project: Project, green_file: GreenFile) -> None:
    for fare in (1.0, 2.0):
        green_file(fare=fare)
        project.penstock("land", "green", "2021-01", "--from", "../files")
        _, newest = write_snapshot(project.manifest)
    project.penstock("clean", "--grace", "0d")
    assert [p.name for p in newest.parent.parent.iterdir()] == ["0000000002"]


def test_a_damaged_manifest_removes_nothing(project: Project, green_file: GreenFile) -> None:
    for fare in (1.0, 2.0):
        green_file(fare=fare)
        project.penstock("land", "green", "2021-01", "--from", "../files")
    (project.lake / "manifest" / "log" / "0000000002.json").write_bytes(b"")
    before = folders(project)
    assert project.penstock("clean", "--grace", "0d").code == 1
    assert folders(project) == before


def test_clean_does_not_renew_the_age_of_a_lock_file(project: Project) -> None:
    left = project.lake / ".staging" / "0123"
    left.mkdir(parents=True)
    left.with_suffix(".lock").touch()
    age(left, 6)
    age(left.with_suffix(".lock"), 6)
    assert "0 removed" in project.penstock("clean").text
    age(left, 2)
    age(left.with_suffix(".lock"), 2)
    assert "2 removed" in project.penstock("clean").text
    assert list(left.parent.iterdir()) == []


def test_a_download_in_use_stays(project: Project) -> None:
    with download_lock(RemoteFile(None, "a", "a"), downloads_folder(project.lake)) as lock:
        part = Path(lock.lock_file).with_suffix(".part")
        part.write_bytes(b"x")
        assert "0 removed" in project.penstock("clean", "--grace", "0d").text
    assert "2 removed" in project.penstock("clean", "--grace", "0d").text
    assert not part.exists()
