"""Staging folders for work in progress, each locked by the process that uses it, and the lake's locks.

Clean-up tells abandoned work from running work by these locks, not by age alone, so it never removes the
files of a running landing, whatever the system clock does. For a lake on a disk the staging folder is inside
the lake, so that a finished file only has to be renamed. For a lake in a store it is in the user's temporary
folder.
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
    """Return the local folder of a lake's work in progress."""
    if isinstance(lake_dir, Path):
        return lake_dir / STAGING
    key = hashlib.sha256(str(lake_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}" / key


def make_staging_folder(lake_dir: Location) -> Path:
    """Create the staging folder, readable by its owner only, and return it.

    Raises:
        PenstockError: another user has created the folder in the shared temporary folder.
    """
    folder = staging_folder(lake_dir)
    if not isinstance(lake_dir, Path):
        private_files.make_folder_in_tmp(folder.parent)
    return private_files.make_folder(folder)


def downloads_folder(lake_dir: Location) -> Path:
    """Return the folder of downloads. The next landing resumes a download that a killed process left there."""
    return staging_folder(lake_dir) / DOWNLOADS


def lake_lock(lake_dir: Location) -> FileLock:
    """Return the lock for moving landed folders, removing them, and committing to the manifest.

    It excludes other processes of this machine only. Writers on other machines are excluded by the manifest's
    conditional write.
    """
    return _lock(lake_dir, LAKE_LOCK)


def registration_lock(lake_dir: Location) -> FileLock:
    """Return the lock for registering the lake's tables with Spark; it excludes processes of this machine only."""
    return _lock(lake_dir, REGISTRATION_LOCK)


def _lock(lake_dir: Location, name: str) -> FileLock:
    folder = lake_dir if isinstance(lake_dir, Path) else make_staging_folder(lake_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / name)


@contextmanager
def explain_write_errors(lake_dir: Location) -> Iterator[None]:
    """Turn an operating system error, such as a full disk or missing permissions, into a PenstockError.

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
            "a lake folder that can be written", found, "free disk space, or give write permission there"
        ) from None


@contextmanager
def work_folder(lake_dir: Location, prefix: str = "") -> Iterator[Path]:
    """Create a locked folder in the staging folder and remove it at the end of the block.

    When the process is killed, the folder stays until `penstock clean` removes it.

    Raises:
        PenstockError: the lake can't be written.
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
    """Return whether a running process has locked this file or folder of the staging folder, or this lock file."""
    try:
        # FileLock would write to the lock file and renew its modification time, which clean-up goes by.
        with _lock_path(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def abandoned_paths(lake_dir: Location) -> Iterator[Path]:
    """Yield the work folders, lock files and downloads that no running process uses."""
    folder = staging_folder(lake_dir)
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        if path.name in (LAKE_LOCK, REGISTRATION_LOCK):
            continue
        for candidate in sorted(path.iterdir()) if path == downloads_folder(lake_dir) else [path]:
            if not in_use(candidate):
                yield candidate
