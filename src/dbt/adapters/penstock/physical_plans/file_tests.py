"""The tests of a written table's files: their sizes, their number a partition, their statistics.

All is asked in SQL, by Spark's hidden column `_metadata`
(its file_path and file_size), so nothing but the server needs to reach the files.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError
from penstock.errors import render

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

MB = 1024 * 1024
# How many partitions or files a message names.
NAMED = 5


@dataclass(frozen=True)
class File:
    """A stored file: its name, bytes, and partition as `column=value/…`; empty when unpartitioned."""

    name: str
    size: int
    partition: str


def in_mb(size: float) -> str:
    """Bytes in MB, with three digits for small ones."""
    return f"{size / MB:.3g} MB" if size < 100 * MB else f"{size / MB:,.0f} MB"


def sizes(files: list[File], lowest: float, highest: float) -> list[str]:
    """What is wrong with files' sizes in bytes; the smallest of a partition may be smaller: its last rows."""
    wrong = [f"{item.name} with {in_mb(item.size)}" for item in files if item.size > highest]
    for partition, own in by_partition(files).items():
        small = [item for item in own if item.size < lowest]
        if len(small) > 1:
            wrong.append(
                f"{len(small)} files under {in_mb(lowest)}{f' in {partition}' if partition else ''}, "
                f"the smallest {in_mb(min(item.size for item in small))}"
            )
    return wrong


def by_partition(files: list[File]) -> dict[str, list[File]]:
    """The files of each partition."""
    found: dict[str, list[File]] = {}
    for item in files:
        found.setdefault(item.partition, []).append(item)
    return found


def shortened(words: list[str]) -> str:
    """A list's first items, and how many more there are."""
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return "; ".join(words[:NAMED]) + more


class FileTests:
    """The tests of stored files.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter

    def failures(self, relation: BaseRelation, test: str, **arguments: Any) -> list[str]:
        """The messages of a test on a table's files; see the tests for their arguments."""
        if relation.is_view:
            raise AdapterError(f"a table for {test}", f"{relation}, a view", "materialize it as a table")
        if test == "stats_present":
            return self._statistics(relation, **arguments)
        files = self._files(relation)
        if test == "file_sizes_between":
            lowest, highest = arguments["min"], arguments["max"]
            found = sizes(files, lowest * MB, highest * MB)
            needed = f"files of {relation} between {lowest} and {highest} MB"
            do = "set target_file_size, and `dbt run-operation compact`"
        else:
            most = arguments["n"]
            found = [
                f"{len(own)} files{f' in {partition}' if partition else ''}"
                for partition, own in sorted(by_partition(files).items())
                if len(own) > most
            ]
            needed = f"at most {most} files a partition of {relation}"
            do = "rebalance by the partition columns, set target_file_size, or `dbt run-operation compact`"
        return [render(needed, shortened(found), do)] if found else []

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        _, table = self._adapter.execute(query, fetch=True)
        return [tuple(row) for row in table.rows]

    def described(self, relation: BaseRelation) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._adapter.describe_extended(relation).rows]

    def partition_columns(self, relation: BaseRelation) -> list[str]:
        """A table's partition columns, in their order."""
        names = [str(row[0] or "") for row in self.described(relation)]
        if "# Partition Information" not in names:
            return []
        below = names[names.index("# Partition Information") + 2 :]
        return below[: next((place for place, name in enumerate(below) if not name), len(below))]

    def _files(self, relation: BaseRelation) -> list[File]:
        """Every file that holds rows of a table."""
        columns = self.partition_columns(relation)
        parts = [f"'{name}=', coalesce(cast({self._adapter.quote(name)} as string), 'null')" for name in columns]
        partition = f"concat({', chr(47), '.join(parts)})" if parts else "''"
        rows = self._rows(
            f"select any_value(element_at(split(_metadata.file_path, '/'), -1)), any_value(_metadata.file_size), "
            f"any_value({partition}) from {relation.render()} group by _metadata.file_path"
        )
        return [File(str(name), int(size), str(place)) for name, size, place in rows]

    def _statistics(self, relation: BaseRelation, columns: list[str] | None = None) -> list[str]:
        """What lacks statistics: Delta's of each file, by which files are skipped; else the catalog's of the table."""
        described = {str(row[0]): str(row[1]) for row in self.described(relation) if row[0]}
        if described.get("Provider", "").lower() != "delta":
            if "rows" in described.get("Statistics", ""):
                return []
            found = described.get("Statistics") or "none"
            do = "`dbt run-operation analyze`"
            return [render(f"statistics of {relation} with its number of rows", found, do)]
        log = f"{described['Location'].rstrip('/')}/_delta_log"
        bare = self._without_statistics(relation, f"json.`{log}/*.json`", columns or [])
        if bare:
            # The log's older entries are gone once a checkpoint holds them.
            parts = (f"select add from json.`{log}/*.json`", f"select add from parquet.`{log}/*.checkpoint*.parquet`")
            with contextlib.suppress(DbtRuntimeError):
                bare = self._without_statistics(relation, f"({' union all '.join(parts)})", columns or [])
        if not bare:
            return []
        asked = f" of {', '.join(columns)}" if columns else ""
        needed = f"row counts, least and greatest values{asked} in every file of {relation}"
        return [
            render(
                needed,
                f"none in {shortened(bare)}",
                "write the table anew; delta.dataSkippingNumIndexedCols says of how many columns",
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
