"""Find a month's source file in a folder or at a URL, and fetch it. Remote files are read through fsspec."""

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

# For each protocol, (the package that fsspec requires, the extra of `dbt-penstock` that installs the package).
EXTRAS = {"s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"), "gs": ("gcsfs", "gs"), "gcs": ("gcsfs", "gs")}


@dataclass(frozen=True)
class SourceFile:
    """A month's source file, with its file name and location."""

    name: str
    remote: RemoteFile


@dataclass(frozen=True)
class LocalFile:
    """A source file on this machine, which may be a download.

    Attributes:
        path: path of the file.
        name: name of the source file.
        address: address of the source file, for messages and for the manifest.
        sha256: hash of the file's content.
        size: size in bytes.
        modified_ns: modification time when the file was hashed, in nanoseconds since 1970.
    """

    path: Path
    name: str
    address: str
    sha256: str
    size: int
    modified_ns: int

    def check_unchanged(self) -> None:
        """Check that the file has not changed since it was hashed. Call this before the commit.

        Raises:
            PenstockError: the size or the modification time has changed.
        """
        stat = self.path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.modified_ns):
            found = "another size or modification time at the end"
            raise PenstockError(f"{self.address} unchanged while it is read", found, "run it again")


def resolve_address(address: str) -> tuple[Any, str]:
    """Return (fsspec file system, path on this file system) of an address. An address without a protocol is local.

    Raises:
        PenstockError: the protocol is unknown, or the package that it requires is not installed.
    """
    protocol = address.split("://", 1)[0] if "://" in address else "file"
    # Make HTTP requests respect the proxy settings in the environment.
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
    """Return a dataset's files in a folder, by month, or None if the address is an HTTP URL, which can't be listed.

    If several patterns of `file_name` in `lake.yml` match files of the same month, the first pattern wins.

    Raises:
        PenstockError: the folder doesn't exist, or one pattern matches two files of the same month.
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
        dataset: the dataset.
        month: first day of the month.
        address: a folder, the URL of a folder, or a URL that contains `{file_name}`.
        listed: the result of `list_months` for this address. If None, each possible file name is requested.

    Raises:
        PenstockError: there is no file for the month. If the folder could be listed, the message names its months.
    """
    if listed is not None:
        if month in listed:
            return listed[month]
        raise PenstockError(
            f"the file {dataset.official_name(month)} in {address}",
            f"no {dataset.name} file for {month:%Y-%m}; months there: {format_intervals(listed, GRAINS[MONTH])}",
            "choose one of those months, or another --from",
            entry="the-file-isnt-there",
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
        entry="the-file-isnt-there",
    )


@contextmanager
def fetch(source: SourceFile, downloads: Path, progress: Progress) -> Iterator[LocalFile]:
    """Yield a source file as a local file. Download it if it is remote, and delete the download after the block.

    If the process is interrupted or killed, the download is kept, and the next run resumes it.

    Raises:
        PenstockError: the file doesn't exist, can't be read, or changed during the download.
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
            # Keep the download, so that the next run can resume it.
            raise
        except BaseException:
            delete_download(path)
            raise
        delete_download(path)


def local_file(path: Path, name: str, address: str) -> LocalFile:
    """Hash a file on this machine, and return its description."""
    with path.open("rb") as file:
        digest = sha256_of(file)
        stat = os.fstat(file.fileno())
    return LocalFile(path, name, address, digest, stat.st_size, stat.st_mtime_ns)
