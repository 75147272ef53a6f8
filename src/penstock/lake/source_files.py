"""Find and fetch a month's source file: a single file, a folder, or an address, local or through fsspec."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import fsspec

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH, format_intervals
from penstock.lake.catalog import Dataset
from penstock.lake.download import (
    Progress,
    RemoteFile,
    delete_download,
    describe,
    download,
    download_lock,
    unreachable_error,
)
from penstock.storage.files import sha256_of

# By protocol: the fsspec package, and the project's extra that installs it.
EXTRAS = {"s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"), "gs": ("gcsfs", "gs"), "gcs": ("gcsfs", "gs")}


@dataclass(frozen=True)
class SourceFile:
    """The file name and location of a month's source file."""

    name: str
    remote: RemoteFile


@dataclass(frozen=True)
class LocalFile:
    """A source file on this machine. `sha256` and `size` are those of its bytes."""

    path: Path
    name: str
    address: str
    sha256: str
    size: int
    modified_ns: int

    def check_unchanged(self) -> None:
        """Raise an error when the file was written to since it was hashed. Call it before the commit.

        Raises:
            PenstockError: the file has another size or modification time.
        """
        stat = self.path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.modified_ns):
            found = "another size or modification time at the end"
            raise PenstockError(f"{self.address} unchanged while it is read", found, "run it again")


def resolve_address(address: str) -> tuple[Any, str]:
    """Return (fsspec file system, path on it) of an address; a plain path is a local one.

    Raises:
        PenstockError: the protocol is unknown, or its package is not installed.
    """
    protocol = address.split("://", 1)[0] if "://" in address else "file"
    # Respect the proxy settings of the environment.
    options = {"client_kwargs": {"trust_env": True}} if protocol in ("http", "https") else {}
    try:
        fs = fsspec.filesystem(protocol, **options)
    except ImportError:
        if protocol not in EXTRAS:
            raise
        package, extra = EXTRAS[protocol]
        do = f"pip install 'dbt-penstock[{extra}]'"
        raise PenstockError(f"the package {package} for {protocol}:// addresses", "not installed", do) from None
    except ValueError:
        do = "give a folder, or an address with http, https, s3 or gs"
        raise PenstockError("an address that can be read", f"`{address}`", do) from None
    if protocol == "file":
        return fs, str(Path(address.removeprefix("file://")).expanduser().absolute())
    return fs, address


def source_file_at(address: str) -> SourceFile:
    """Return the source file at an address, without checking that it exists."""
    fs, path = resolve_address(address)
    display_address = path if "://" not in address else address
    return SourceFile(posixpath.basename(path.split("?", 1)[0]), RemoteFile(fs, path, display_address))


def list_months(dataset: Dataset, address: str) -> dict[date, SourceFile] | None:
    """Return a dataset's files in a folder, by month; None when the address can't be listed (HTTP).

    When several of the dataset's patterns match files of a month, the first pattern counts.

    Raises:
        PenstockError: the folder doesn't exist, or one pattern matches two files of a month.
    """
    if address.startswith(("http://", "https://")) or "{file_name}" in address:
        return None
    fs, folder = resolve_address(address)
    try:
        paths = [item["name"] for item in fs.ls(folder, detail=True) if item["type"] != "directory"]
    except (FileNotFoundError, NotADirectoryError):
        raise PenstockError("a folder to land from", f"no folder {address}", "check --from") from None
    except Exception as error:
        raise unreachable_error(address, error) from None
    best: dict[date, tuple[int, str]] = {}
    for path in sorted(paths):
        if match := dataset.month_of(posixpath.basename(path)):
            pattern, month = match
            if month in best and best[month][0] == pattern:
                both = f"{posixpath.basename(best[month][1])} and {posixpath.basename(path)}"
                raise PenstockError(
                    f"one file for {dataset.name} {month:%Y-%m}", both, "name the one to land with --file"
                )
            if month not in best or pattern < best[month][0]:
                best[month] = pattern, path
    return {
        month: SourceFile(posixpath.basename(path), RemoteFile(fs, path, _display_address(address, path)))
        for month, (_, path) in best.items()
    }


def _display_address(folder: str, path: str) -> str:
    return f"{folder.rstrip('/')}/{posixpath.basename(path)}" if "://" in folder else path


def find_month(dataset: Dataset, month: date, address: str, listed: dict[date, SourceFile] | None) -> SourceFile:
    """Return a month's source file.

    Args:
        address: folder, or address of a folder, or address with `{file_name}`.
        listed: the result of `list_months` for this address; None requests each possible file name instead.

    Raises:
        PenstockError: the month doesn't exist there; the message names the existing months.
    """
    if listed is not None:
        if month in listed:
            return listed[month]
        raise PenstockError(
            f"the file {dataset.official_name(month)} in {address}",
            f"no {dataset.name} file for {month:%Y-%m}; months there: {format_intervals(listed, GRAINS[MONTH])}",
            "choose one of those months, or another --from",
        )
    names = [pattern.replace("{month}", f"{month:%Y-%m}") for pattern in dataset.file_name if "*" not in pattern]
    for name in names:
        candidate = source_file_at(
            address.replace("{file_name}", name) if "{file_name}" in address else f"{address.rstrip('/')}/{name}"
        )
        if describe(candidate.remote) is not None:
            return candidate
    raise PenstockError(
        f"the file {names[0]} at {address.replace('{file_name}', '')}",
        f"no such file there (requested: {', '.join(names)})",
        "check month and address",
    )


@contextmanager
def fetch(source: SourceFile, downloads: Path, progress: Progress) -> Iterator[LocalFile]:
    """Yield the source as a local file. A download is deleted at the end of the block.

    When the process is killed, the download stays, and the next run resumes it.

    Raises:
        PenstockError: the file doesn't exist, can't be read, or changed while it was read.
    """
    remote = source.remote
    if getattr(remote.fs, "local_file", False):
        try:
            yield local_file(Path(remote.path), source.name, remote.address)
        except OSError as error:
            if error.filename != remote.path:
                raise
            raise PenstockError(f"the file {remote.path}", str(error.strerror), "check the path") from None
        return
    with download_lock(remote, downloads):
        path = download(remote, downloads, progress)
        try:
            yield local_file(path, source.name, remote.address)
        except KeyboardInterrupt:
            # Keep the download, so that the next run resumes it.
            raise
        except BaseException:
            delete_download(path)
            raise
        delete_download(path)


def local_file(path: Path, name: str, address: str) -> LocalFile:
    """Hash a file on this machine and return it."""
    with path.open("rb") as file:
        digest = sha256_of(file)
        stat = os.fstat(file.fileno())
    return LocalFile(path, name, address, digest, stat.st_size, stat.st_mtime_ns)
