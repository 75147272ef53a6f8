"""What differs between a disk, an object store and HDFS: making a file appear whole, and only once.

- Disk: written aside, synced, then linked (new) or renamed (over another).
- Object store: no rename; a PUT is whole or nothing. New by the store's own condition: `If-None-Match: *`
  on S3 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html),
  `ifGenerationMatch=0` on GCS (https://cloud.google.com/storage/docs/request-preconditions).
- HDFS: a file under its name grows while it is written, so it is written aside. A rename is one step of
  the NameNode, and refused when the name is taken.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from penstock.errors import PenstockError
from penstock.storage.files import sync_folder
from penstock.storage.locations import Folder


@dataclass(frozen=True)
class Look:
    """What a store says of a file without reading it.

    Attributes:
        size: bytes.
        tag: changes with the content (an object's ETag, a file's time in HDFS); empty on a disk.
        changed: when it was last written, UTC.
    """

    size: int
    tag: str
    changed: datetime


class Store(Protocol):
    """What is done to files beyond reading them and joining their names."""

    def new(self, path: Folder, data: bytes) -> bool:
        """Make a file of these bytes, durable when it returns; False, and nothing done, when the name is taken."""

    def put(self, path: Folder, file: Path) -> None:
        """A copy of a local file under a name, whole, in place of any before."""

    def names(self, folder: Folder) -> list[str]:
        """Names in a folder, sorted; none when it isn't there."""

    def read(self, paths: Sequence[Folder]) -> list[bytes]:
        """Whole files, in their order. Raises FileNotFoundError."""

    def look(self, path: Folder) -> Look:
        """What is known of a file. Raises FileNotFoundError."""

    def below(self, folder: Folder) -> list[tuple[Folder, Look]]:
        """Every file below a folder."""

    def remove(self, path: Folder) -> None:
        """A file or a folder with all below it; nothing when it isn't there."""


@contextmanager
def asked(where: Folder) -> Iterator[None]:
    """Say in words that a store did not do what was asked; that a file is there, or isn't, goes through.

    Raises:
        PenstockError: no credentials, no right, no answer.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError, PenstockError):
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        do = "check the address, `store` in penstock.yml, and the credentials in the environment"
        raise PenstockError(f"an answer of the store about {where}", f"{type(error).__name__}: {words}", do) from None


class Disk:
    """A file system of this machine."""

    def new(self, path: Any, data: bytes) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.parent / f".{uuid.uuid4().hex}.tmp"
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                return False
            sync_folder(path.parent)
            return True
        finally:
            draft.unlink(missing_ok=True)

    def put(self, path: Any, file: Path) -> None:
        file.replace(path)
        sync_folder(path.parent)

    def names(self, folder: Any) -> list[str]:
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        return [path.read_bytes() for path in paths]

    def look(self, path: Any) -> Look:
        stat = path.stat()
        return Look(stat.st_size, "", datetime.fromtimestamp(stat.st_mtime, timezone.utc))

    def below(self, folder: Any) -> list[tuple[Folder, Look]]:
        return [(path, self.look(path)) for path in sorted(folder.rglob("*")) if path.is_file()]

    def remove(self, path: Any) -> None:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class Objects:
    """An object store over fsspec."""

    def new(self, path: Any, data: bytes) -> bool:
        with asked(path):
            try:
                path.fs.pipe_file(path.path, data, mode="create")
            except FileExistsError:
                return False
            return True

    def put(self, path: Any, file: Path) -> None:
        with asked(path):
            path.fs.put_file(str(file), path.path)

    def names(self, folder: Any) -> list[str]:
        with asked(folder):
            try:
                found = folder.fs.ls(folder.path, detail=False)
            except FileNotFoundError:
                return []
            # A store may list the folder's own empty mark.
            here = str(folder.path).strip("/")
            return sorted(str(name).rstrip("/").rpartition("/")[2] for name in found if name.strip("/") != here)

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        if not paths:
            return []
        with asked(paths[0].parent):
            found = paths[0].fs.cat([path.path for path in paths])
            # One file comes as itself, several by name.
            if isinstance(found, bytes):
                return [found]
            by_name = {name.strip("/"): data for name, data in found.items()}
            return [by_name[path.path.strip("/")] for path in paths]

    def look(self, path: Any) -> Look:
        with asked(path):
            return self._looked(path.fs.info(path.path))

    def below(self, folder: Any) -> list[tuple[Folder, Look]]:
        with asked(folder):
            found = folder.fs.find(folder.path, detail=True)
            base = str(folder.path).strip("/")
            named = ((str(name).strip("/").removeprefix(base).strip("/"), info) for name, info in found.items())
            return [(folder / name, self._looked(info)) for name, info in sorted(named, key=lambda x: x[0]) if name]

    def remove(self, path: Any) -> None:
        with asked(path):
            if path.fs.exists(path.path):
                path.fs.rm(path.path, recursive=True)

    @staticmethod
    def _looked(info: dict[str, Any]) -> Look:
        changed = info.get("LastModified") or info.get("updated") or info.get("modificationTime")
        if isinstance(changed, str):
            changed = datetime.fromisoformat(changed.replace("Z", "+00:00"))
        elif isinstance(changed, (int, float)):
            changed = datetime.fromtimestamp(changed / 1000, timezone.utc)
        named = next((str(info[key]) for key in ("ETag", "etag", "modificationTime") if info.get(key)), "")
        moment = changed or datetime.fromtimestamp(0, timezone.utc)
        return Look(int(info["size"]), named.strip('"'), moment)


class Hadoop(Objects):
    """HDFS over WebHDFS (https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html)."""

    def _renamed(self, fs: Any, source: str, target: str) -> bool:
        # fsspec's own `mv` doesn't say whether it was done.
        return bool(fs._call("RENAME", method="put", path=source, destination=target).json()["boolean"])

    def _aside(self, path: Any) -> str:
        folder = str(path.parent.path).rstrip("/")
        path.fs.makedirs(folder, exist_ok=True)
        return f"{folder}/.{uuid.uuid4().hex}.tmp"

    def new(self, path: Any, data: bytes) -> bool:
        with asked(path):
            aside = self._aside(path)
            try:
                path.fs.pipe_file(aside, data)
                return self._renamed(path.fs, aside, path.path)
            finally:
                path.fs.rm(aside)

    def put(self, path: Any, file: Path) -> None:
        with asked(path):
            aside = self._aside(path)
            try:
                path.fs.put_file(str(file), aside)
                if not self._renamed(path.fs, aside, path.path):
                    # Of an immutable name: what is there is damaged, and goes.
                    path.fs.rm(path.path)
                    if not self._renamed(path.fs, aside, path.path):
                        raise OSError(f"HDFS would not rename {aside}")
            finally:
                path.fs.rm(aside)

    def read(self, paths: Sequence[Any]) -> list[bytes]:
        out = []
        for path in paths:
            with asked(path):
                out.append(path.fs.cat_file(path.path))
        return out


_DISK, _OBJECTS, _HADOOP = Disk(), Objects(), Hadoop()


def of(folder: Folder) -> Store:
    """The store that a folder or file lies in."""
    protocol = getattr(folder, "protocol", "")
    if not protocol:
        return _DISK
    return _HADOOP if protocol == "webhdfs" else _OBJECTS


def is_disk(folder: Folder) -> bool:
    """Whether a folder lies on a disk of this machine."""
    return of(folder) is _DISK
