"""Verify that landed files are present, complete and unchanged, and that their folders contain no other files.

Spark reads every file in a month's folder. Before a model is built from a month, verification finds files that were
truncated, replaced, removed or added since landing.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from penstock.errors import PenstockError
from penstock.lake.manifest import LANDED_FILE, SAMPLE_PREFIX, Entry
from penstock.storage import filesystems
from penstock.storage.files import sha256_of
from penstock.storage.locations import Location

# Maximum number of months that a message names. For the other months, the message gives only their number.
SHOWN_MONTHS = 5


@dataclass(frozen=True)
class Problem:
    """A landed file that is missing, was changed since landing, or is not alone in its folder.

    Attributes:
        entry: manifest entry of the month.
        found: description of the problem.
    """

    entry: Entry
    found: str


def find_problems(lake_dir: Location, entries: Iterable[Entry], *, read: bool = False) -> list[Problem]:
    """Return the problems of the landed files, in the order of the entries.

    First, the names and sizes of all files are checked. Then the content of each file without a problem is compared
    with the hash in its entry. If an older entry has no hash, the number of rows in the parquet footer is compared
    instead. In a store (an object store or HDFS), a file whose tag is unchanged since landing is not read.

    Args:
        lake_dir: location of the lake.
        entries: manifest entries of the months to check.
        read: read the content of every file, even if its tag is unchanged.
    """
    checked = list(entries)
    quick_checks = [_check_name_and_size(lake_dir, entry) for entry in checked]
    messages = []
    for entry, (message, tag) in zip(checked, quick_checks, strict=True):
        tag_is_unchanged = not read and tag and tag == entry.file_tag
        messages.append(message or ("" if tag_is_unchanged else _check_content(entry.path(lake_dir), entry)))
    return [Problem(entry, message) for entry, message in zip(checked, messages, strict=True) if message]


def require_intact(lake_dir: Location, entries: Iterable[Entry], *, read: bool = False) -> None:
    """Check the landed files as `find_problems` does, and raise an error if there is a problem.

    Raises:
        PenstockError: there is a problem. The message names the damaged months and the commands that repair them.
    """
    if problems := find_problems(lake_dir, entries, read=read):
        raise PenstockError(
            "the landed files of the lake as they were landed",
            _join_first([f"{p.entry.dataset} {p.entry.file_month:%Y-%m}: {p.found}" for p in problems], "; "),
            "land again: " + _join_first([f"`{repair_command(p.entry)}`" for p in problems], ", then "),
            entry="landed-files-were-damaged",
        )


def unexpected_names(folder: Location) -> list[str]:
    """Return the names of the files in a landed folder that landing did not write but Spark would read.

    Raises:
        OSError: the folder can't be listed.
    """
    names = filesystems.file_system(folder).list_names(folder)
    # Spark ignores files whose names begin with "." or "_".
    return [name for name in names if name != LANDED_FILE and not name.startswith((".", "_"))]


def repair_command(entry: Entry) -> str:
    """Return the command that repairs a damaged file: it lands the month again from the entry's source."""
    month = f"{entry.file_month:%Y-%m}"
    if entry.source.startswith(SAMPLE_PREFIX):
        parameters = parse_qs(entry.source.partition("?")[2])
        options = [text for key in ("rows", "seed") if key in parameters for text in (f"--{key}", parameters[key][0])]
        return shlex.join(["penstock", "sample", "--dataset", entry.dataset, "--months", month, *options])
    return shlex.join(["penstock", "land", entry.dataset, "--file", entry.source, "--month", month])


def _join_first(texts: Sequence[str], separator: str) -> str:
    more = len(texts) - SHOWN_MONTHS
    return separator.join(texts[:SHOWN_MONTHS]) + (f"{separator}and {more} more months" if more > 0 else "")


def _check_name_and_size(lake_dir: Location, entry: Entry) -> tuple[str, str]:
    """Check the names and the size of the files in a landed folder.

    Returns:
        (description of the problem, or an empty string if there is none; tag of the landed file in the store).
    """
    path = entry.path(lake_dir)
    try:
        info = filesystems.file_system(path).info(path)
        others = unexpected_names(path.parent)
    except (FileNotFoundError, NotADirectoryError):
        return f"no file {path}", ""
    except OSError as error:
        return f"{path}: {error.strerror}", ""
    if entry.file_bytes and info.size != entry.file_bytes:
        kind = "a truncated file" if info.size < entry.file_bytes else "a file that grew"
        return f"{kind}, {info.size:,} bytes where {entry.file_bytes:,} landed: {path}", ""
    return (f"a file that did not land, `{others[0]}`, beside {path}" if others else ""), info.tag


def _check_content(path: Location, entry: Entry) -> str:
    """Check the content of a landed file. Return a description of the problem, or an empty string if there is none."""
    try:
        if entry.file_sha256:
            with path.open("rb") as file:
                same = sha256_of(file) == entry.file_sha256
            return "" if same else f"other content than landed (the sha256 differs): {path}"
        rows = _footer_rows(path)
        return "" if rows == entry.rows else f"{rows:,} rows where {entry.rows:,} landed: {path}"
    except OSError as error:
        return f"a file that can't be read ({' '.join(str(error).split())[:200]}): {path}"


def _footer_rows(path: Location) -> int:
    """Return the number of rows in a parquet footer.

    Raises:
        OSError: the file can't be read as parquet.
    """
    # Imported here because the import is slow, and only entries of older releases, which have no hash, need pyarrow.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            return parquet.metadata.num_rows
    except pa.ArrowException as error:
        raise OSError(str(error)) from None
