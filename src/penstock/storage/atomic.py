"""Replace a file on a local disk in one step, so that a reader sees either the previous or the new content.

The new content is written to a temporary file in the same folder, and the temporary file is then renamed over the
target. The temporary file has the target's stem with the suffix `.<process id>.part` or
`.<process id>-<thread id>.part`.
"""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from penstock.storage.files import sync_folder

SUFFIX = ".part"


def temporary_path(path: Path, thread: int | None = None) -> Path:
    """Return the path of the temporary file in which this process prepares the new content of `path`.

    Args:
        path: the file that will be replaced.
        thread: id of the writing thread. Needed only if several threads may replace the file.
    """
    owner = str(os.getpid()) if thread is None else f"{os.getpid()}-{thread}"
    return path.with_suffix(f".{owner}{SUFFIX}")


@contextmanager
def replacement(path: Path, sync: bool = False) -> Iterator[Path]:
    """Yield the path of a temporary file for the block to write.

    If the block succeeds, the temporary file replaces `path`. If the block fails, the temporary file is removed.

    Args:
        path: the file to replace. Its folder must exist.
        sync: flush the file and its folder to the disk, so that the replacement survives a power failure.
    """
    temporary = temporary_path(path, threading.get_ident())
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        if sync:
            _sync_file(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if sync:
        sync_folder(path.parent)


def write_bytes(path: Path, content: bytes, mode: int = 0o666, sync: bool = False) -> None:
    """Write a file in one step.

    Args:
        path: the file to write. Its folder must exist.
        content: the new content of the file.
        mode: permissions of the file, before the umask is applied.
        sync: as for `replacement`.
    """
    with replacement(path, sync) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def write_text(path: Path, text: str, mode: int = 0o666, sync: bool = False) -> None:
    """Write a UTF-8 text file in one step. The arguments are those of `write_bytes`."""
    write_bytes(path, text.encode(), mode, sync)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of `path` that no other running process owns.

    A file with the id of this process is also removed, because an earlier process with the same id left the file.
    """
    for temporary in path.parent.glob(f"{glob.escape(path.stem)}.*{SUFFIX}"):
        owner = temporary.suffixes[-2].removeprefix(".").split("-")[0]
        if owner == str(os.getpid()) or not (owner.isdigit() and psutil.pid_exists(int(owner))):
            temporary.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
