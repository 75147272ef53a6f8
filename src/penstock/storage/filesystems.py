"""One interface to a local disk, an object store and HDFS. `file_system` returns the file system of a location."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from penstock.storage.files import FileInfo
from penstock.storage.hdfs import Hdfs
from penstock.storage.local_disk import LocalDisk
from penstock.storage.locations import Location
from penstock.storage.object_store import ObjectStore


class FileSystem(Protocol):
    """The file operations that differ between a local disk, an object store and HDFS."""

    def create(self, path: Location, data: bytes) -> bool:
        """Create a file atomically and durably, and return True. If the file exists, leave it and return False."""

    def put(self, path: Location, source: Path) -> None:
        """Put a local file at `path` and replace any existing file. No reader sees a partly written file.

        A local disk moves the file. An object store and HDFS copy it.
        """

    def list_names(self, folder: Location) -> list[str]:
        """Return the sorted names in a folder, or an empty list if the folder does not exist."""

    def read(self, paths: Sequence[Location]) -> list[bytes]:
        """Return the contents of files, in the given order. Raise FileNotFoundError if a file does not exist."""

    def info(self, path: Location) -> FileInfo:
        """Return a file's metadata. Raise FileNotFoundError if the file does not exist."""

    def find_files(self, folder: Location) -> list[tuple[Location, FileInfo]]:
        """Return the location and metadata of every file in a folder and its subfolders."""

    def remove(self, path: Location) -> None:
        """Remove a file, or a folder with everything in it. If the path does not exist, do nothing."""


_LOCAL_DISK, _OBJECT_STORE, _HDFS = LocalDisk(), ObjectStore(), Hdfs()


def file_system(location: Location) -> FileSystem:
    """Return the file system that holds a file or folder."""
    protocol = getattr(location, "protocol", "")
    if not protocol:
        return _LOCAL_DISK
    return _HDFS if protocol == "webhdfs" else _OBJECT_STORE


def is_local(location: Location) -> bool:
    """Return whether a file or folder is on a disk of this machine."""
    return file_system(location) is _LOCAL_DISK
