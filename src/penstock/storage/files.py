"""File metadata, file hashes, and durable folder entries."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class FileInfo:
    """Metadata that a file system returns without reading the file.

    Attributes:
        size: size in bytes.
        tag: a value that changes whenever the content changes. It is the ETag in an object store, the modification
            time in HDFS, and empty on a local disk.
        modified: time of the last write, in UTC.
    """

    size: int
    tag: str
    modified: datetime


def sha256_of(file: IO[bytes]) -> str:
    """Return the SHA-256 hex digest of an open file, from its current position to its end."""
    digest = hashlib.sha256()
    while data := file.read(1 << 20):
        digest.update(data)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, so that created and renamed files survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
