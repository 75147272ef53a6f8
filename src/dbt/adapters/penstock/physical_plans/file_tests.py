"""Tests of a table's files: file sizes, number of files in each partition, and statistics.

The tests use SQL and Spark's hidden column `_metadata` (file_path, file_size), or Iceberg's table `NAME.files`. So only
the server needs access to the files.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError
from penstock.errors import render

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

MB = 1024 * 1024
# The value of the column `content` for data files in Iceberg's table of files. All other files hold deletions.
DATA_FILE = 0
# A row of DESCRIBE for a partition transform, such as `Part 0 | bucket(4, id)`, and the column in its second cell.
TRANSFORM = re.compile(r"Part \d+")
COLUMN_OF_TRANSFORM = re.compile(r"\b(?!\d+\b)(\w+)\b(?!\()")
# The largest number of partitions or files that a message names.
NAMED = 5


@dataclass(frozen=True)
class File:
    """A file of a table.

    Attributes:
        name: the file's name.
        size: the file's size in bytes.
        partition: the file's partition as `column=value/…`, or empty if the table has no partitions.
    """

    name: str
    size: int
    partition: str


def in_mb(size: float) -> str:
    """Return a number of bytes as MB, with three significant digits below 100 MB."""
    return f"{size / MB:.3g} MB" if size < 100 * MB else f"{size / MB:,.0f} MB"


def size_failures(files: list[File], lowest: float, highest: float) -> list[str]:
    """Return messages about files whose size in bytes is out of range. Each partition may have one smaller file."""
    failures = [f"{item.name} with {in_mb(item.size)}" for item in files if item.size > highest]
    for partition, own in by_partition(files).items():
        small = [item for item in own if item.size < lowest]
        if len(small) > 1:
            failures.append(
                f"{len(small)} files under {in_mb(lowest)}{f' in {partition}' if partition else ''}, "
                f"the smallest {in_mb(min(item.size for item in small))}"
            )
    return failures


def by_partition(files: list[File]) -> dict[str, list[File]]:
    """Return the files of each partition."""
    partitions: dict[str, list[File]] = {}
    for item in files:
        partitions.setdefault(item.partition, []).append(item)
    return partitions


def shorten(items: list[str]) -> str:
    """Return the first items of a list as text, followed by the number of the other items."""
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return "; ".join(items[:NAMED]) + more


class FileTests:
    """The tests of a table's files.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter

    def failures(self, relation: BaseRelation, test: str, **arguments: Any) -> list[str]:
        """Return the failure messages of a test of a table's files. The list is empty if the test passes."""
        if relation.is_view:
            raise AdapterError(f"a table for {test}", f"{relation}, a view", "materialize it as a table")
        if test == "stats_present":
            return self._statistics(relation, **arguments)
        files = self._files(relation)
        if test == "file_sizes_between":
            lowest, highest = arguments["min"], arguments["max"]
            failures = size_failures(files, lowest * MB, highest * MB)
            needed = f"files of {relation} between {lowest} and {highest} MB"
            do = "set target_file_size_mb, and `dbt run-operation compact`"
        else:
            most = arguments["n"]
            failures = [
                f"{len(own)} files{f' in {partition}' if partition else ''}"
                for partition, own in sorted(by_partition(files).items())
                if len(own) > most
            ]
            needed = f"at most {most} files a partition of {relation}"
            do = "rebalance by the partition columns, set target_file_size_mb, or `dbt run-operation compact`"
        return [render(needed, shorten(failures), do)] if failures else []

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        _, table = self._adapter.execute(query, fetch=True)
        return [tuple(row) for row in table.rows]

    def describe_rows(self, relation: BaseRelation) -> list[tuple[Any, ...]]:
        """Return the rows of DESCRIBE TABLE EXTENDED."""
        return [tuple(row) for row in self._adapter.describe_extended(relation).rows]

    def partition_columns(self, relation: BaseRelation) -> list[str]:
        """Return a table's partition columns, in the order of the partitioning."""
        names = [str(row[0] or "") for row in self.describe_rows(relation)]
        if "# Partition Information" not in names:
            return []
        below = names[names.index("# Partition Information") + 2 :]
        return below[: next((index for index, name in enumerate(below) if not name), len(below))]

    def partitioning(self, relation: BaseRelation) -> list[str]:
        """Return the partition columns of an Iceberg table, and the columns of its partition transforms."""
        transforms = [str(row[1]) for row in self.describe_rows(relation) if TRANSFORM.fullmatch(str(row[0]))]
        columns = [name for item in transforms for name in COLUMN_OF_TRANSFORM.findall(item)]
        return [*self.partition_columns(relation), *columns]

    def _files(self, relation: BaseRelation) -> list[File]:
        """Return the files that hold the rows of a table."""
        if getattr(relation, "is_iceberg", False):
            partition = "to_json(partition)" if self.partitioning(relation) else "''"
            rows = self._rows(
                f"select element_at(split(file_path, '/'), -1), file_size_in_bytes, {partition} "
                f"from {relation.render()}.files where content = {DATA_FILE}"
            )
            return [File(str(name), int(size), str(part)) for name, size, part in rows]
        columns = self.partition_columns(relation)
        parts = [f"'{name}=', coalesce(cast({self._adapter.quote(name)} as string), 'null')" for name in columns]
        partition = f"concat({', chr(47), '.join(parts)})" if parts else "''"
        rows = self._rows(
            f"select any_value(element_at(split(_metadata.file_path, '/'), -1)), any_value(_metadata.file_size), "
            f"any_value({partition}) from {relation.render()} group by _metadata.file_path"
        )
        return [File(str(name), int(size), str(part)) for name, size, part in rows]

    def _statistics(self, relation: BaseRelation, columns: list[str] | None = None) -> list[str]:
        """Return a message about missing statistics.

        In a Delta table, each file has statistics. In other formats, only the table has statistics.
        """
        described = {str(row[0]): str(row[1]) for row in self.describe_rows(relation) if row[0]}
        if described.get("Provider", "").lower() != "delta":
            if "rows" in described.get("Statistics", ""):
                return []
            found = described.get("Statistics") or "none"
            do = "`dbt run-operation analyze`"
            return [render(f"statistics of {relation} with its number of rows", found, do)]
        log = f"{described['Location'].rstrip('/')}/_delta_log"
        missing = self._without_statistics(relation, f"json.`{log}/*.json`", columns or [])
        if missing:
            # Older commits may be only in a checkpoint, and not in the JSON files of the log.
            parts = (f"select add from json.`{log}/*.json`", f"select add from parquet.`{log}/*.checkpoint*.parquet`")
            with contextlib.suppress(DbtRuntimeError):
                missing = self._without_statistics(relation, f"({' union all '.join(parts)})", columns or [])
        if not missing:
            return []
        of_columns = f" of {', '.join(columns)}" if columns else ""
        needed = f"row counts, least and greatest values{of_columns} in every file of {relation}"
        return [
            render(
                needed,
                f"none in {shorten(missing)}",
                "rebuild the table; delta.dataSkippingNumIndexedCols sets the number of columns with statistics",
            )
        ]

    def _without_statistics(self, relation: BaseRelation, log: str, columns: list[str]) -> list[str]:
        conditions = ["get_json_object(add.stats, '$.numRecords') is not null"]
        for name in columns:
            values = (
                f"get_json_object(add.stats, '$.{kind}.{name}') is not null" for kind in ("minValues", "nullCount")
            )
            conditions.append(f"({' or '.join(values)})")
        name = "element_at(split({}, '/'), -1)"
        rows = self._rows(
            f"select file from (select distinct {name.format('_metadata.file_path')} as file from {relation.render()}) "
            f"left anti join (select {name.format('add.path')} as known from {log} "
            f"where add is not null and {' and '.join(conditions)}) on file = known"
        )
        return [str(row[0]) for row in rows]
