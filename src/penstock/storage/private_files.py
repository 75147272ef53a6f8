"""Folders and files that only their owner may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import PenstockError
from penstock.storage import atomic

OTHERS = 0o077


def folder(path: Path) -> Path:
    """Create a folder that only its owner may read, and return it; an existing one loses its other permissions.

    Parent folders get default permissions. A folder of another user, or on a read-only disk, is unchanged.
    """
    path.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if (mode := path.stat().st_mode) & OTHERS:
            path.chmod(mode & 0o700)
    return path


def make_folder_in_tmp(path: Path) -> Path:
    """Create a private folder in a place where any user may create one, such as /tmp, and return it.

    Raises:
        PenstockError: another user created the folder, or a link of its name.
    """
    with suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PenstockError(
            f"{path}, a folder of your own", "another user created it", "have it removed, or set TMPDIR"
        )
    return folder(path)


def write(path: Path, text: str) -> None:
    """Write a text file that its owner alone can read, in one step."""
    atomic.write_text(path, text, mode=0o600)


@contextmanager
def mask(value: int) -> Iterator[None]:
    """Set this umask inside the block, for the processes that the block starts."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)
