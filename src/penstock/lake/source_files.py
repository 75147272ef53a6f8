"""Where a month's file comes from: one file, a folder, or an address, local or through fsspec."""

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
from penstock.lake.catalog import Dataset
from penstock.lake.download import Progress, Remote, describe, download, forget, held, unreachable
from penstock.storage.files import sha256_of

EXTRAS = {"s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"), "gs": ("gcsfs", "gs"), "gcs": ("gcsfs", "gs")}


@dataclass(frozen=True)
class Located:
    """A month's file that is there: its name, its address, and the way to it."""

    name: str
    remote: Remote


@dataclass(frozen=True)
class Fetched:
    """A file on this machine, ready to be read. `sha256` and `size` are those of its bytes."""

    path: Path
    name: str
    address: str
    sha256: str
    size: int
    modified_ns: int

    def check_unchanged(self) -> None:
        """Call it when the file was read, before anything is committed.

        Raises:
            PenstockError: somebody wrote to the file meanwhile.
        """
        now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified_ns):
            found = "another size or time of change at the end"
            raise PenstockError(f"{self.address} to stay as it is while it is read", found, "run it again")


def file_system(address: str) -> tuple[Any, str]:
    """(fsspec file system, path on it) of an address; a plain path is a local one.

    Raises:
        PenstockError: the protocol is unknown or needs a package that isn't installed.
    """
    protocol = address.split("://", 1)[0] if "://" in address else "file"
    # Proxy settings of the environment count, as they do for every other program.
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


def located(address: str) -> Located:
    """The file at this address, whether or not it is there."""
    fs, path = file_system(address)
    shown = path if "://" not in address else address
    return Located(posixpath.basename(path.split("?", 1)[0]), Remote(fs, path, shown))


def listing(dataset: Dataset, where: str) -> dict[date, Located] | None:
    """The months of a dataset in a folder; None when the place can't be listed (HTTP).

    Where several of the dataset's patterns fit a month, the first pattern counts.

    Raises:
        PenstockError: there is no such folder, or one pattern fits two files of a month.
    """
    if where.startswith(("http://", "https://")) or "{file_name}" in where:
        return None
    fs, path = file_system(where)
    try:
        names = [item["name"] for item in fs.ls(path, detail=True) if item["type"] != "directory"]
    except (FileNotFoundError, NotADirectoryError):
        raise PenstockError("a folder to land from", f"no folder {where}", "check --from") from None
    except Exception as error:
        raise unreachable(where, error) from None
    best: dict[date, tuple[int, str]] = {}
    for name in sorted(names):
        if fit := dataset.month_of(posixpath.basename(name)):
            pattern, month = fit
            if month in best and best[month][0] == pattern:
                both = f"{posixpath.basename(best[month][1])} and {posixpath.basename(name)}"
                raise PenstockError(
                    f"one file for {dataset.name} {month:%Y-%m}", both, "name the one to land with --file"
                )
            if month not in best or pattern < best[month][0]:
                best[month] = pattern, name
    return {
        month: Located(posixpath.basename(name), Remote(fs, name, _shown(where, name)))
        for month, (_, name) in best.items()
    }


def _shown(where: str, name: str) -> str:
    return f"{where.rstrip('/')}/{posixpath.basename(name)}" if "://" in where else name


def find(dataset: Dataset, month: date, where: str, listed: dict[date, Located] | None) -> Located:
    """A month's file in a folder, or at an address that answers for single names.

    Args:
        where: folder, address of a folder, or address with `{file_name}`.
        listed: what `listing` gave for `where`.

    Raises:
        PenstockError: the month isn't there; the months that are there are named.
    """
    if listed is not None:
        if month in listed:
            return listed[month]
        there = spans(sorted(listed)) or "none"
        raise PenstockError(
            f"the file {dataset.official_name(month)} in {where}",
            f"no {dataset.name} file for {month:%Y-%m}; months there: {there}",
            "choose one of those months, or another --from",
        )
    names = [p.replace("{month}", f"{month:%Y-%m}") for p in dataset.file_name if "*" not in p]
    for name in names:
        candidate = located(
            where.replace("{file_name}", name) if "{file_name}" in where else f"{where.rstrip('/')}/{name}"
        )
        if describe(candidate.remote) is not None:
            return candidate
    place = where.replace("{file_name}", "")
    raise PenstockError(
        f"the file {names[0]} at {place}",
        f"no such file there (asked for {', '.join(names)})",
        "check month and address",
    )


def spans(months: list[date]) -> str:
    """Sorted months as text, runs of neighbours drawn together: `2021-01..2021-03, 2021-07`."""
    runs: list[list[date]] = []
    for month in months:
        if runs and (month.year - runs[-1][-1].year) * 12 + month.month - runs[-1][-1].month == 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(f"{r[0]:%Y-%m}" if len(r) == 1 else f"{r[0]:%Y-%m}..{r[-1]:%Y-%m}" for r in runs)


@contextmanager
def fetched(source: Located, downloads: Path, progress: Progress) -> Iterator[Fetched]:
    """The file on this machine while the block runs; a download is removed when the block ends.

    A kill leaves the download for the next run to go on with.

    Raises:
        PenstockError: the file isn't there, can't be read, or changed while it was read.
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
    with held(remote, downloads):
        path = download(remote, downloads, progress)
        try:
            yield local_file(path, source.name, remote.address)
        except KeyboardInterrupt:
            raise
        except BaseException:
            forget(path)
            raise
        forget(path)


def local_file(path: Path, name: str, address: str) -> Fetched:
    """A file on this machine as it is now, its bytes hashed."""
    with path.open("rb") as file:
        digest = sha256_of(file)
        stat = os.fstat(file.fileno())
    return Fetched(path, name, address, digest, stat.st_size, stat.st_mtime_ns)
