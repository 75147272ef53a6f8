"""Folders and files that only their owner can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import PenstockError
from penstock.storage import atomic

GROUP_AND_OTHERS = 0o077


def make_folder(path: Path) -> Path:
    """Create a folder that only its owner can read, and return it.

    Missing parents get default permissions. If the folder exists, its permissions are restricted, unless it belongs
    to another user or is on a read-only disk.
    """
    path.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if (mode := path.stat().st_mode) & GROUP_AND_OTHERS:
            path.chmod(mode & 0o700)
    return path


def make_folder_in_tmp(path: Path) -> Path:
    """Create a private folder inside a folder that any user can write to, such as /tmp, and return it.

    Raises:
        PenstockError: the path is not a folder, is a symbolic link, or belongs to another user.
    """
    with suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PenstockError(
            f"{path}, a folder of your own",
            "another user created it",
            "have it removed, or set TMPDIR",
            entry="another-users-folder",
        )
    return make_folder(path)


def write(path: Path, text: str) -> None:
    """Write a text file that only its owner can read, in one step."""
    atomic.write_text(path, text, mode=0o600)


@contextmanager
def umask(value: int) -> Iterator[None]:
    """Set the umask of this process, and of the processes that it starts, for the duration of the block."""
    previous = os.umask(value)
    try:
        yield
    finally:
        os.umask(previous)
