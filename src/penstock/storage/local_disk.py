"""Files on a disk of this machine."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from penstock.storage.files import FileInfo, sync_folder
from penstock.storage.locations import Location


class LocalDisk:
    """The file system of a local disk. See `penstock.storage.filesystems.FileSystem` for the methods.

    A new file is written under a temporary name, synced, and then linked to its final name. The link fails if the
    final name exists.
    """

    def create(self, path: Any, data: bytes) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            sync_folder(path.parent)
            return True
        finally:
            temporary.unlink(missing_ok=True)

    def put(self, path: Any, source: Path) -> None:
        source.replace(path)
        sync_folder(path.parent)

    def list_names(self, folder: Any) -> list[str]:
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        return [path.read_bytes() for path in paths]

    def info(self, path: Any) -> FileInfo:
        stat = path.stat()
        return FileInfo(stat.st_size, "", datetime.fromtimestamp(stat.st_mtime, timezone.utc))

    def find_files(self, folder: Any) -> list[tuple[Location, FileInfo]]:
        return [(path, self.info(path)) for path in sorted(folder.rglob("*")) if path.is_file()]

    def remove(self, path: Any) -> None:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
