"""Work in progress: folders that a lock holds for as long as the process that made them lives.

What a killed process left is told from what a living one uses by that lock and not by age alone, so
clean-up never takes a file from under a landing, whatever the clock says meanwhile.
"""

from __future__ import annotations

import fcntl
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from penstock.errors import PenstockError

FOLDER = ".staging"


def downloads(lake_dir: Path) -> Path:
    """The folder of files that are being downloaded; a later run goes on with what a killed one left."""
    return lake_dir / FOLDER / "downloads"


@contextmanager
def writable(lake_dir: Path) -> Iterator[None]:
    """Say in words that the lake can't be written: a full disk, a limit, missing rights.

    Raises:
        PenstockError: for an error of the operating system inside the block.
    """
    try:
        yield
    except OSError as error:
        if not error.errno:
            raise
        where = f"{lake_dir}: {error.strerror}"
        raise PenstockError("a lake folder that can be written", where, "make room or give rights there") from None


@contextmanager
def workplace(lake_dir: Path, prefix: str = "") -> Iterator[Path]:
    """A new folder on the lake's file system, gone when the block ends. A kill leaves it to `clean`.

    Raises:
        PenstockError: the lake can't be written.
    """
    folder = lake_dir / FOLDER / f"{prefix}{uuid.uuid4().hex}"
    with writable(lake_dir):
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(_lock_of(folder))
        with held:
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                _lock_of(folder).unlink(missing_ok=True)


def _lock_of(item: Path) -> Path:
    return item.with_suffix(".lock")


def in_use(item: Path) -> bool:
    """Whether a living process holds this file or folder of the staging area, or is its lock."""
    try:
        # FileLock would write to the file and so make it young; what is asked must age until `clean` takes it.
        with _lock_of(item).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def left_behind(lake_dir: Path) -> Iterator[Path]:
    """What no living process uses: folders and locks of broken-off work, and files of downloads."""
    place = lake_dir / FOLDER
    for item in sorted(place.iterdir()) if place.exists() else []:
        for left in sorted(item.iterdir()) if item == downloads(lake_dir) else [item]:
            if not in_use(left):
                yield left
