"""Files in HDFS, over WebHDFS.

HDFS shows a file under its name while the file is still being written. Penstock therefore writes each file under a
temporary name and then renames it. The NameNode renames in one step, and refuses if the new name exists
(https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.storage.object_store import ObjectStore, explain_store_errors


class Hdfs(ObjectStore):
    """The file system of HDFS. See `penstock.storage.filesystems.FileSystem` for the methods."""

    def create(self, path: Any, data: bytes) -> bool:
        with explain_store_errors(path):
            temporary = _temporary_path(path)
            try:
                path.fs.pipe_file(temporary, data)
                return _rename(path.fs, temporary, path.path)
            finally:
                path.fs.rm(temporary)

    def put(self, path: Any, source: Path) -> None:
        with explain_store_errors(path):
            temporary = _temporary_path(path)
            try:
                path.fs.put_file(str(source), temporary)
                if not _rename(path.fs, temporary, path.path):
                    # HDFS does not rename onto an existing file. Between `rm` and the second rename, `path` is missing.
                    path.fs.rm(path.path)
                    if not _rename(path.fs, temporary, path.path):
                        raise OSError(f"HDFS did not rename {temporary}")
            finally:
                path.fs.rm(temporary)

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        contents = []
        for path in paths:
            with explain_store_errors(path):
                contents.append(path.fs.cat_file(path.path))
        return contents


def _rename(fs: Any, source: str, target: str) -> bool:
    """Rename a file, and return whether the NameNode renamed it. fsspec's own `mv` does not return this answer."""
    return bool(fs._call("RENAME", method="put", path=source, destination=target).json()["boolean"])


def _temporary_path(path: Any) -> str:
    folder = str(path.parent.path).rstrip("/")
    path.fs.makedirs(folder, exist_ok=True)
    return f"{folder}/.{uuid.uuid4().hex}.tmp"
