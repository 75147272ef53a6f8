"""A landed file's name, and what is done to any file of the lake: hashing it, making its name durable."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO

FILE = "part-0.parquet"


def sha256_of(file: IO[bytes]) -> str:
    """Hex digest of what an open file holds from where it stands, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, as far as the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
