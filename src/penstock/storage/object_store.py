"""Files in an object store, over fsspec.

An object store cannot rename an object, but a PUT is atomic. To avoid overwriting an object, a PUT carries a
precondition: `If-None-Match: *` on S3
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html) or
`ifGenerationMatch=0` on GCS (https://cloud.google.com/storage/docs/request-preconditions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.storage.files import FileInfo
from penstock.storage.locations import Location


@contextmanager
def explain_store_errors(location: Location) -> Iterator[None]:
    """Convert an error of a store to a PenstockError. FileNotFoundError and FileExistsError are not converted.

    Raises:
        PenstockError: the credentials are missing or insufficient, or the store does not answer.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError, PenstockError):
        raise
    except Exception as error:
        message = " ".join(str(error).split())[:300] or type(error).__name__
        do = "check the address, `store` in penstock.yml, and the credentials in the environment"
        found = f"{type(error).__name__}: {message}"
        raise PenstockError(f"an answer of the store about {location}", found, do) from None


class ObjectStore:
    """The file system of an object store. See `penstock.storage.filesystems.FileSystem` for the methods."""

    def create(self, path: Any, data: bytes) -> bool:
        with explain_store_errors(path):
            try:
                path.fs.pipe_file(path.path, data, mode="create")
            except FileExistsError:
                return False
            return True

    def put(self, path: Any, source: Path) -> None:
        with explain_store_errors(path):
            path.fs.put_file(str(source), path.path)

    def list_names(self, folder: Any) -> list[str]:
        with explain_store_errors(folder):
            try:
                names = folder.fs.ls(folder.path, detail=False)
            except FileNotFoundError:
                return []
            # Some stores represent a folder by an empty object, and list that object among the folder's files.
            own_name = str(folder.path).strip("/")
            return sorted(str(name).rstrip("/").rpartition("/")[2] for name in names if name.strip("/") != own_name)

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        if not paths:
            return []
        with explain_store_errors(paths[0].parent):
            contents = paths[0].fs.cat([path.path for path in paths])
            # For one path, fsspec returns bytes. For several paths, it returns a dictionary of bytes by path.
            if isinstance(contents, bytes):
                return [contents]
            by_name = {name.strip("/"): data for name, data in contents.items()}
            return [by_name[path.path.strip("/")] for path in paths]

    def info(self, path: Any) -> FileInfo:
        with explain_store_errors(path):
            return _file_info(path.fs.info(path.path))

    def find_files(self, folder: Any) -> list[tuple[Location, FileInfo]]:
        with explain_store_errors(folder):
            base = str(folder.path).strip("/")
            entries = folder.fs.find(folder.path, detail=True).items()
            relative = ((str(name).strip("/").removeprefix(base).strip("/"), info) for name, info in entries)
            return [(folder / name, _file_info(info)) for name, info in sorted(relative, key=lambda x: x[0]) if name]

    def remove(self, path: Any) -> None:
        with explain_store_errors(path):
            if path.fs.exists(path.path):
                path.fs.rm(path.path, recursive=True)


def _file_info(info: dict[str, Any]) -> FileInfo:
    """Return the metadata of a file from the dictionary that fsspec returns for S3, GCS or WebHDFS."""
    modified = info.get("LastModified") or info.get("updated") or info.get("modificationTime")
    if isinstance(modified, str):
        modified = datetime.fromisoformat(modified.replace("Z", "+00:00"))
    elif isinstance(modified, (int, float)):
        modified = datetime.fromtimestamp(modified / 1000, timezone.utc)
    tag = next((str(info[key]) for key in ("ETag", "etag", "modificationTime") if info.get(key)), "")
    return FileInfo(int(info["size"]), tag.strip('"'), modified or datetime.fromtimestamp(0, timezone.utc))
