"""Replacing a file in one step, and removing what killed processes left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.storage import atomic


def test_a_file_is_written_with_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    atomic.write_text(file, "é", mode=0o600)
    assert file.read_text(encoding="utf-8") == "é"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.parametrize("sync", [False, True])
def test_the_previous_content_is_there_until_the_block_ends(tmp_path: Path, sync: bool) -> None:
    file = tmp_path / "file"
    atomic.write_bytes(file, b"old", sync=sync)
    with atomic.replacement(file, sync) as temporary:
        temporary.write_bytes(b"new")
        assert file.read_bytes() == b"old"
        assert temporary.parent == tmp_path
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(error), atomic.replacement(file) as temporary:
        temporary.write_text("half")
        raise error
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_sync_flushes_the_file_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, synced = tmp_path / "file", []

    def fsync(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), file.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    atomic.write_text(file, "text")
    assert synced == []
    file.unlink()
    atomic.write_text(file, "text", sync=True)
    assert synced == [(False, False), (True, True)]


def test_leftovers_of_ended_processes_are_removed(tmp_path: Path) -> None:
    """Not those of processes that run, nor those of other files; an earlier process may have had this one's id."""
    file = tmp_path / "file[1].json"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = [file.with_suffix(f".{owner}.part") for owner in (ended.pid, f"{ended.pid}-7", os.getpid(), "odd")]
    kept = [file, file.with_suffix(f".{os.getppid()}.part"), tmp_path / f"other.{ended.pid}.part"]
    for path in [*left, *kept]:
        path.write_text("half")
    atomic.remove_leftovers(file)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
