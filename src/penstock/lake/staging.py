"""Work in progress: folders that a lock holds for as long as the process that made them lives.

What a killed process left is told from what a living one uses by that lock and not by age alone, so
clean-up never takes a file from under a landing, whatever the clock says meanwhile. On a disk they lie in
the lake, so that a finished file only has to be renamed; for a lake in a store they lie in this user's
temporary folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from penstock.errors import PenstockError
from penstock.storage import private_files
from penstock.storage.locations import Folder

FOLDER, DOWNLOADS = ".staging", "downloads"


def area(lake_dir: Folder) -> Path:
    """The folder of all work in progress of a lake on this machine."""
    if isinstance(lake_dir, Path):
        return lake_dir / FOLDER
    key = hashlib.sha256(str(lake_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}" / key


def made(lake_dir: Folder) -> Path:
    """The same folder, made when it isn't there, readable by its owner only.

    Raises:
        PenstockError: in the temporary folder, where any user makes folders, another one has made it.
    """
    folder = area(lake_dir)
    if not isinstance(lake_dir, Path):
        private_files.own_folder(folder.parent)
    return private_files.folder(folder)


def downloads(lake_dir: Folder) -> Path:
    """The folder of files that are being downloaded; a later run goes on with what a killed one left."""
    return area(lake_dir) / DOWNLOADS


def lake_lock(lake_dir: Folder) -> FileLock:
    """The lock under which folders are put in place or removed, and commits are made.

    It holds among the processes of this machine. Where others write to the same store, what decides is the
    manifest's conditional write alone.
    """
    return _lock(lake_dir, ".lake.lock")


def publish_lock(lake_dir: Folder) -> FileLock:
    """The lock under which one session of this machine brings Spark's tables up to date."""
    return _lock(lake_dir, ".publish.lock")


def _lock(lake_dir: Folder, name: str) -> FileLock:
    folder = lake_dir if isinstance(lake_dir, Path) else made(lake_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / name)


@contextmanager
def writable(lake_dir: Folder) -> Iterator[None]:
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
def workplace(lake_dir: Folder, prefix: str = "") -> Iterator[Path]:
    """A new folder to write in, gone when the block ends. A kill leaves it to `clean`.

    Raises:
        PenstockError: the lake can't be written.
    """
    folder = area(lake_dir) / f"{prefix}{uuid.uuid4().hex}"
    with writable(lake_dir):
        made(lake_dir)
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


def left_behind(lake_dir: Folder) -> Iterator[Path]:
    """What no living process uses: folders and locks of broken-off work, and files of downloads."""
    place = area(lake_dir)
    for item in sorted(place.iterdir()) if place.exists() else []:
        if item.name in (".lake.lock", ".publish.lock"):
            continue
        for left in sorted(item.iterdir()) if item == downloads(lake_dir) else [item]:
            if not in_use(left):
                yield left
