"""Query the server for facts that a plan does not have: thresholds, columns, files and their sizes."""

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
RunQuery = Callable[[str], Rows]
BROADCAST_THRESHOLD = "spark.sql.autoBroadcastJoinThreshold"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
# The largest size of a table whose partitions are counted. In a larger table, the scan would take too long.
MAX_BYTES_TO_COUNT_PARTITIONS = 2 * 1024**3


def format_bytes(number: float) -> str:
    """Return bytes in the form that Spark prints: `6.0 KiB`."""
    unit = 0
    while abs(number) >= 1024 and unit < len(UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.0f} {UNITS[unit]}" if unit == 0 else f"{number:.1f} {UNITS[unit]}"


def parse_bytes(text: str) -> int:
    """Return the bytes of a size that Spark printed: `6.0 KiB`, `10485760b`, `10m`; `-1` is -1."""
    letters = text.strip().rstrip("bB").rstrip("i").rstrip()
    power = "kmgt".find(letters[-1:].lower()) + 1 if letters[-1:].isalpha() else 0
    return int(float(letters.rstrip("kKmMgGtT ").replace(",", "") or 0) * 1024**power)


@dataclass(frozen=True)
class TableDetail:
    """Size and partitioning of a stored table; None means unknown."""

    columns: int | None = None
    files: int | None = None
    bytes: int | None = None
    partitioned_by: tuple[str, ...] = ()
    partitions: int | None = None


@dataclass(frozen=True)
class TableFiles:
    """The current files of a table.

    Attributes:
        table: `schema.table`.
        sizes: bytes of each file, the smallest first.
        partitions: number of files in each partition, the smallest number first. A table without partitions
            has one number.
        partitioned_by: the partition columns.
    """

    table: str
    sizes: tuple[int, ...]
    partitions: tuple[int, ...]
    partitioned_by: tuple[str, ...]

    @property
    def median(self) -> float:
        """Return the median size of a file, in bytes."""
        return median(self.sizes) if self.sizes else 0


class ServerFacts:
    """Facts from the server. Without a server, all facts are unknown.

    Args:
        run_query: returns the rows of a statement, by column name; None if no server is running.
        conf: Spark settings of the model, which override the server's settings.
    """

    def __init__(self, run_query: RunQuery | None, conf: Mapping[str, str]) -> None:
        self._run_query, self._conf = run_query, conf
        self._details: dict[str, TableDetail] = {}

    def _rows(self, sql: str) -> Rows:
        """Return the rows of a statement, or no rows without a server or if the statement fails."""
        try:
            return self._run_query(sql) if self._run_query else []
        except PenstockError:
            return []

    def _setting(self, name: str) -> str:
        if name in self._conf:
            return self._conf[name]
        rows = self._rows(f"set {name}")
        return str(rows[0]["value"]) if rows else ""

    @cached_property
    def broadcast_threshold(self) -> int | None:
        """Return the bytes up to which Spark broadcasts a side without a hint; -1 means never, None unknown."""
        text = self._setting(BROADCAST_THRESHOLD)
        return parse_bytes(text) if text[:1].lstrip("-").isdigit() or text.startswith("-") else None

    def table_detail(self, table: str) -> TableDetail:
        """Return the columns, files, bytes and partitions of a stored table."""
        if table not in self._details:
            self._details[table] = self._query_detail(_quoted(table)) if "." in table else TableDetail()
        return self._details[table]

    def _query_detail(self, name: str) -> TableDetail:
        columns = len(self._rows(f"show columns in {name}")) or None
        detail = (self._rows(f"describe detail {name}") or [{}])[0]
        partitioned_by = tuple(json.loads(detail.get("partitionColumns") or "[]"))
        files, size = detail.get("numFiles"), detail.get("sizeInBytes")
        partitions = None
        if partitioned_by and detail.get("format") != "delta":
            partitions = len(self._rows(f"show partitions {name}")) or None
        elif partitioned_by and (size or 0) < MAX_BYTES_TO_COUNT_PARTITIONS:
            names = ", ".join(f"`{column}`" for column in partitioned_by)
            counted = self._rows(f"select count(*) as n from (select distinct {names} from {name})")
            partitions = int(counted[0]["n"]) if counted else None
        return TableDetail(columns, _int(files), _int(size), partitioned_by, partitions)

    def view_query(self, name: str) -> str:
        """Return the query of a view, or an empty string if unknown."""
        rows = self._rows(f"describe extended {_quoted(name)}")
        return next((str(row["data_type"]) for row in rows if row.get("col_name") == "View Text"), "")

    def table_files(self, table: str) -> TableFiles | None:
        """Return the files of a table, or None if Spark cannot list them."""
        columns = "_metadata.file_path as path, _metadata.file_size as size"
        rows = self._rows(f"select path, max(size) as size from (select {columns} from {_quoted(table)}) group by path")
        if not rows:
            return None
        folders: dict[str, int] = {}
        for row in rows:
            folder = str(PurePosixPath(row["path"]).parent)
            folders[folder] = folders.get(folder, 0) + 1
        partitioned_by = self.table_detail(table).partitioned_by
        partitions = tuple(sorted(folders.values())) if partitioned_by else (len(rows),)
        return TableFiles(table, tuple(sorted(int(row["size"]) for row in rows)), partitions, partitioned_by)


def _quoted(table: str) -> str:
    return ".".join(map(quote_identifier, table.split(".")))


def _int(value: Any) -> int | None:
    return None if value is None else int(value)
