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
    """Return a folder that only its owner can read; create it, or restrict its permissions.

    Missing parents get default permissions. A folder of another user, or on a read-only disk, stays as it is.
    """
    path.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if (mode := path.stat().st_mode) & GROUP_AND_OTHERS:
            path.chmod(mode & 0o700)
    return path


def make_folder_in_tmp(path: Path) -> Path:
    """Create a private folder in a place where any user can create one, such as /tmp, and return it.

    Raises:
        PenstockError: another user created it first, or a link with its name.
    """
    with suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PenstockError(
            f"{path}, a folder of your own", "another user created it", "have it removed, or set TMPDIR"
        )
    return make_folder(path)


def write(path: Path, text: str) -> None:
    """Write a text file that only its owner can read, in one step."""
    atomic.write_text(path, text, mode=0o600)


@contextmanager
def umask(value: int) -> Iterator[None]:
    """Set the umask of this process, and of those that it starts, inside the block."""
    previous = os.umask(value)
    try:
        yield
    finally:
        os.umask(previous)
