"""Whether landed files still are what landing wrote: there, whole, unchanged, and alone in their folder.

Spark reads whatever lies in a month's folder. A file that was cut short, replaced or removed since it
landed is found here, before anything is built from it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from penstock.errors import PenstockError
from penstock.lake.manifest import SAMPLE, Entry
from penstock.storage import filesystems
from penstock.storage.files import FILE, sha256_of
from penstock.storage.locations import Folder

# How many months a message names; the rest is counted.
SHOWN = 5


@dataclass(frozen=True)
class Problem:
    """A landed file that is not what landing wrote.

    Attributes:
        entry: the month's manifest entry.
        found: what is there instead, in words.
    """

    entry: Entry
    found: str


def problems(lake_dir: Folder, entries: Iterable[Entry], *, read: bool = False) -> list[Problem]:
    """The entries whose landed file is missing, of another size or content, or not alone; in their order.

    Names and sizes are looked at first, and only files that pass are read: one pass over the bytes
    for an entry that knows their hash, the footer for an older one that doesn't. In a store a file whose
    tag is the one it landed with is the one that landed, and isn't read.

    Args:
        read: read the bytes all the same.
    """
    known = list(entries)
    glances = [_glance(lake_dir, entry) for entry in known]
    found = []
    for entry, (words, tag) in zip(known, glances, strict=True):
        sure = not read and tag and tag == entry.file_tag
        found.append(words or ("" if sure else _content(entry.path(lake_dir), entry)))
    return [Problem(entry, words) for entry, words in zip(known, found, strict=True) if words]


def require(lake_dir: Folder, entries: Iterable[Entry], *, read: bool = False) -> None:
    """Refuse to go on unless every entry's landed file is what landing wrote.

    Raises:
        PenstockError: what is wrong with which month, and the commands that repair it.
    """
    if wrong := problems(lake_dir, entries, read=read):
        raise PenstockError(
            "the landed files of the lake as they were landed",
            _listed([f"{p.entry.dataset} {p.entry.file_month:%Y-%m}: {p.found}" for p in wrong], "; "),
            "land again: " + _listed([f"`{landing_again(p.entry)}`" for p in wrong], ", then "),
        )


def strangers(folder: Folder) -> list[str]:
    """Names of what lies in a landed folder beside the landed file and would be read with it.

    Raises:
        OSError: the folder can't be listed.
    """
    # Spark leaves out names that begin with one of these.
    return [name for name in filesystems.of(folder).names(folder) if name != FILE and not name.startswith((".", "_"))]


def landing_again(entry: Entry) -> str:
    """The command line that lands an entry's month again from where it came, which repairs a damaged file."""
    month = f"{entry.file_month:%Y-%m}"
    if entry.source.startswith(SAMPLE):
        made = parse_qs(entry.source.partition("?")[2])
        options = [word for key in ("rows", "seed") if key in made for word in (f"--{key}", made[key][0])]
        return shlex.join(["penstock", "sample", "--dataset", entry.dataset, "--months", month, *options])
    return shlex.join(["penstock", "land", entry.dataset, "--file", entry.source, "--month", month])


def _listed(texts: Sequence[str], between: str) -> str:
    more = len(texts) - SHOWN
    return between.join(texts[:SHOWN]) + (f"{between}and {more} more months" if more > 0 else "")


def _glance(lake_dir: Folder, entry: Entry) -> tuple[str, str]:
    """What names and sizes alone show to be wrong (empty when nothing), and the store's tag of the file."""
    path = entry.path(lake_dir)
    try:
        look = filesystems.of(path).look(path)
        others = strangers(path.parent)
    except (FileNotFoundError, NotADirectoryError):
        return f"no file {path}", ""
    except OSError as error:
        return f"{path}: {error.strerror}", ""
    if entry.file_bytes and look.size != entry.file_bytes:
        how = "a truncated file" if look.size < entry.file_bytes else "a file that grew"
        return f"{how}, {look.size:,} bytes where {entry.file_bytes:,} landed: {path}", ""
    return (f"a file that did not land, `{others[0]}`, beside {path}" if others else ""), look.tag


def _content(path: Folder, entry: Entry) -> str:
    """What reading the file shows to be wrong; empty when nothing."""
    try:
        if entry.file_sha256:
            with path.open("rb") as file:
                same = sha256_of(file) == entry.file_sha256
            return "" if same else f"another content than landed (the sha256 differs): {path}"
        rows = _footer_rows(path)
        return "" if rows == entry.rows else f"{rows:,} rows where {entry.rows:,} landed: {path}"
    except OSError as error:
        return f"a file that can't be read ({' '.join(str(error).split())[:200]}): {path}"


def _footer_rows(path: Folder) -> int:
    """Rows of a parquet file by its footer.

    Raises:
        OSError: the file can't be read as parquet.
    """
    # Only entries without a hash, of older releases, need pyarrow.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            return parquet.metadata.num_rows
    except pa.ArrowException as error:
        raise OSError(str(error)) from None
