"""The staging folder, which contains work in progress, and the locks of the lake.

Each landing works in its own folder inside the staging folder, and locks that folder. `penstock clean` checks the lock
in addition to the age of a folder. It therefore never removes the files of a running landing, even if the system clock
is wrong.

For a lake on a local disk, the staging folder is inside the lake, so that activating a file only renames the file. For
a lake in a store (an object store or HDFS), the staging folder is in this machine's temporary folder.
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
from penstock.storage.locations import Location

STAGING, DOWNLOADS = ".staging", "downloads"
LAKE_LOCK, REGISTRATION_LOCK = ".lake.lock", ".publish.lock"


def staging_folder(lake_dir: Location) -> Path:
    """Return the staging folder of a lake, which is always a local folder."""
    if isinstance(lake_dir, Path):
        return lake_dir / STAGING
    key = hashlib.sha256(str(lake_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}" / key


def make_staging_folder(lake_dir: Location) -> Path:
    """Create the staging folder, which only its owner can read, and return it.

    Raises:
        PenstockError: another user has created a folder with this name in the machine's temporary folder.
    """
    folder = staging_folder(lake_dir)
    if not isinstance(lake_dir, Path):
        private_files.make_folder_in_tmp(folder.parent)
    return private_files.make_folder(folder)


def downloads_folder(lake_dir: Location) -> Path:
    """Return the folder of downloads. The download of a killed process stays there, and the next landing resumes it."""
    return staging_folder(lake_dir) / DOWNLOADS


def lake_lock(lake_dir: Location) -> FileLock:
    """Return the lock to hold while moving or removing landed folders and committing to the manifest.

    The lock only excludes other processes on this machine. A conflict with a writer on another machine is detected by
    the conditional commit to the manifest.
    """
    return _lock(lake_dir, LAKE_LOCK)


def registration_lock(lake_dir: Location) -> FileLock:
    """Return the lock to hold while registering tables with Spark. It only excludes processes on this machine."""
    return _lock(lake_dir, REGISTRATION_LOCK)


def _lock(lake_dir: Location, name: str) -> FileLock:
    folder = lake_dir if isinstance(lake_dir, Path) else make_staging_folder(lake_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / name)


@contextmanager
def explain_write_errors(lake_dir: Location) -> Iterator[None]:
    """Convert an operating system error, such as a full disk or missing permissions, to a PenstockError.

    Raises:
        PenstockError: the block raised an OSError with an error number.
    """
    try:
        yield
    except OSError as error:
        if not error.errno:
            raise
        found = f"{lake_dir}: {error.strerror}"
        raise PenstockError(
            "a lake folder that can be written",
            found,
            "free disk space, or give write permission there",
            entry="the-lake-cant-be-written",
        ) from None


@contextmanager
def work_folder(lake_dir: Location, prefix: str = "") -> Iterator[Path]:
    """Create and lock a folder inside the staging folder, yield it, and remove it after the block.

    If the process is killed, the folder stays until `penstock clean` removes it.

    Args:
        lake_dir: location of the lake.
        prefix: prefix of the folder's name.

    Raises:
        PenstockError: the staging folder can't be written, or the block raised an OSError with an error number.
    """
    folder = staging_folder(lake_dir) / f"{prefix}{uuid.uuid4().hex}"
    with explain_write_errors(lake_dir):
        make_staging_folder(lake_dir)
        with FileLock(_lock_path(folder)):
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                _lock_path(folder).unlink(missing_ok=True)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def in_use(path: Path) -> bool:
    """Return whether a running process has locked a path in the staging folder.

    Args:
        path: a file or folder in the staging folder, or its lock file.
    """
    try:
        # Don't use FileLock here. It would update the modification time of the lock file, and `penstock clean` compares
        # this time with the grace period.
        with _lock_path(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def abandoned_paths(lake_dir: Location) -> Iterator[Path]:
    """Yield the work folders, lock files and downloads in the staging folder that no running process uses."""
    folder = staging_folder(lake_dir)
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        if path.name in (LAKE_LOCK, REGISTRATION_LOCK):
            continue
        for candidate in sorted(path.iterdir()) if path == downloads_folder(lake_dir) else [path]:
            if not in_use(candidate):
                yield candidate
