"""What the server is asked beside a plan: thresholds, columns, files and their sizes, all by plain SQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from statistics import median
from typing import Any

from penstock.errors import PenstockError
from penstock.sql.names import quote_identifier

Rows = list[dict[str, Any]]
Ask = Callable[[str], Rows]
THRESHOLD = "spark.sql.autoBroadcastJoinThreshold"
ADAPTIVE_THRESHOLD = "spark.sql.adaptive.autoBroadcastJoinThreshold"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
# Partitions of a larger table are not counted: that would take a scan of it.
LARGE = 2 * 1024**3


def size(count: float) -> str:
    """Bytes as people read them, as Spark writes them: `6.0 KiB`."""
    unit = 0
    while abs(count) >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if unit == 0 else f"{count:.1f} {UNITS[unit]}"


def bytes_of(text: str) -> int:
    """Bytes of a size that Spark wrote: `6.0 KiB`, `10485760b`, `10m`; -1 is -1."""
    letters = text.strip().rstrip("bB").rstrip("i").rstrip()
    power = "kmgt".find(letters[-1:].lower()) + 1 if letters[-1:].isalpha() else 0
    return int(float(letters.rstrip("kKmMgGtT ").replace(",", "") or 0) * 1024**power)


@dataclass(frozen=True)
class Detail:
    """What is known of a stored table; None where the server can't say."""

    columns: int | None = None
    files: int | None = None
    bytes: int | None = None
    partitioned_by: tuple[str, ...] = ()
    partitions: int | None = None


@dataclass(frozen=True)
class Files:
    """The files a table consists of now.

    Attributes:
        table: `schema.table`.
        sizes: bytes of each file, the smallest first.
        partitions: files in each partition, the fewest first; one number without partitions.
        partitioned_by: the partition columns.
    """

    table: str
    sizes: tuple[int, ...]
    partitions: tuple[int, ...]
    partitioned_by: tuple[str, ...]

    @property
    def median(self) -> float:
        """The middle file's size."""
        return median(self.sizes) if self.sizes else 0


class Server:
    """Answers to what is asked beside a plan; without a server, all of them are unknown.

    Args:
        ask: rows of a statement, by column name; None when no server is up.
        conf: Spark settings of the model, over the server's own.
    """

    def __init__(self, ask: Ask | None, conf: Mapping[str, str]) -> None:
        self._ask, self._conf = ask, conf
        self._details: dict[str, Detail] = {}

    def _rows(self, sql: str) -> Rows:
        """Rows; none when nobody answers, or only with an error."""
        try:
            return self._ask(sql) if self._ask else []
        except PenstockError:
            return []

    def _setting(self, name: str) -> str:
        if name in self._conf:
            return self._conf[name]
        rows = self._rows(f"set {name}")
        return str(rows[0]["value"]) if rows else ""

    @cached_property
    def threshold(self) -> int | None:
        """Bytes up to which Spark broadcasts a side by itself; -1 never; None unknown."""
        text = self._setting(THRESHOLD)
        return bytes_of(text) if text[:1].lstrip("-").isdigit() or text.startswith("-") else None

    @cached_property
    def adaptive_threshold(self) -> int | None:
        """The same while adaptive execution plans anew."""
        text = self._setting(ADAPTIVE_THRESHOLD)
        return bytes_of(text) if text[:1].isdigit() or text.startswith("-") else self.threshold

    def detail(self, table: str) -> Detail:
        """A stored table's columns, files, bytes and partitions."""
        if table not in self._details:
            self._details[table] = self._look(_quoted(table)) if "." in table else Detail()
        return self._details[table]

    def _look(self, name: str) -> Detail:
        columns = len(self._rows(f"show columns in {name}")) or None
        found = (self._rows(f"describe detail {name}") or [{}])[0]
        by = tuple(json.loads(found.get("partitionColumns") or "[]"))
        files, size_in = found.get("numFiles"), found.get("sizeInBytes")
        partitions = None
        if by and found.get("format") != "delta":
            partitions = len(self._rows(f"show partitions {name}")) or None
        elif by and (size_in or 0) < LARGE:
            names = ", ".join(f"`{column}`" for column in by)
            counted = self._rows(f"select count(*) as n from (select distinct {names} from {name})")
            partitions = int(counted[0]["n"]) if counted else None
        return Detail(columns, _number(files), _number(size_in), by, partitions)

    def view(self, name: str) -> str:
        """A view's query; empty when nobody can say."""
        rows = self._rows(f"describe extended {_quoted(name)}")
        return next((str(row["data_type"]) for row in rows if row.get("col_name") == "View Text"), "")

    def files(self, table: str) -> Files | None:
        """A table's files; None when it has none that Spark can name."""
        file = "_metadata.file_path as path, _metadata.file_size as size"
        rows = self._rows(f"select path, max(size) as size from (select {file} from {_quoted(table)}) group by path")
        if not rows:
            return None
        folders: dict[str, int] = {}
        for row in rows:
            folder = str(PurePosixPath(row["path"]).parent)
            folders[folder] = folders.get(folder, 0) + 1
        by = self.detail(table).partitioned_by
        counts = tuple(sorted(folders.values())) if by else (len(rows),)
        return Files(table, tuple(sorted(int(row["size"]) for row in rows)), counts, by)


def _quoted(table: str) -> str:
    return ".".join(map(quote_identifier, table.split(".")))


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
