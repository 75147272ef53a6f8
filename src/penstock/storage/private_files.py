"""Folders and files that their owner alone may read."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import PenstockError

OTHERS = 0o077


def folder(path: Path) -> Path:
    """Make a folder, or close one that others could read, and return it.

    Folders above it are made as usual. A folder of another user, or on a disk that is read-only, stays as it is.
    """
    path.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if (mode := path.stat().st_mode) & OTHERS:
            path.chmod(mode & 0o700)
    return path


def own_folder(path: Path) -> Path:
    """Make a folder where any user may make one, and return it.

    Raises:
        PenstockError: another user has made it, or a link in its place.
    """
    with suppress(FileExistsError):
        path.mkdir(parents=True, mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PenstockError(f"{path}, a folder of your own", "another user made it", "have it removed, or set TMPDIR")
    return folder(path)


def write(path: Path, text: str) -> None:
    """Put a file in place of the one before, at one instant."""
    aside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    aside.replace(path)


@contextmanager
def mask(value: int) -> Iterator[None]:
    """Start processes with this umask inside the block."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)
