"""The layout of a node's table: its partitions, clustering, file size and sort order.

A layout determines the settings of the session that writes the table. It also wraps the node's query in a query that
repartitions and sorts the rows.

Open-source Delta has no table property for the file size, so settings of the session control the file size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import capabilities, spark_conf
from dbt.adapters.penstock.capabilities import TableFormat
from dbt.adapters.penstock.errors import AdapterError
from penstock.delta.sorted_writes import sorted_query

MB = 1024 * 1024
# Shuffled rows take more bytes than the same rows in a file. With Delta's parquet files and the trips of
# `penstock sample --rows 3000000`, the measured ratio is 2.2 for the dataset yellow, 2.5 for green and 1.8 for fhvhv. A
# table with few columns and few distinct values has a ratio of up to 5.
SHUFFLE_BYTES_PER_FILE_BYTE = 2
ADAPTIVE = "spark.sql.adaptive."
DELTA = "spark.databricks.delta."
STORED = ("table", "incremental", "snapshot", "seed")


def _invalid_value(where: str, key: str, needed: str, value: Any) -> DbtRuntimeError:
    return AdapterError(f"{needed} as {key} of {where}", repr(value), f"correct {key} in its config")


def _columns(config: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """Return the configured column, or list of columns, as a tuple.

    Raises:
        AdapterError: the value is neither a column nor a list of columns, or the list contains a column twice.
    """
    value = config.get(key)
    listed = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else value
    if listed is None:
        return ()
    if not isinstance(listed, list) or any(not isinstance(item, str) or not item.strip() for item in listed):
        raise _invalid_value(where, key, "a column or a list of columns", value)
    if repeated := {item for item in listed if [other.casefold() for other in listed].count(item.casefold()) > 1}:
        raise _invalid_value(where, key, f"each column once ({', '.join(sorted(repeated))})", value)
    return tuple(listed)


@dataclass(frozen=True)
class FileLayout:
    """The layout of a table's files.

    Attributes:
        table_format: the table's format.
        partition_by: the partition columns, or partition transforms such as `days(ts)`.
        clustered_by: the columns of clustering, Z-order or buckets.
        target_mb: the target size of a file in MB, or None for the format's default size.
        sorted_within: the columns by which the rows of each file are sorted.
    """

    table_format: TableFormat
    partition_by: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ()
    target_mb: int | None = None
    sorted_within: tuple[str, ...] = ()

    @classmethod
    def parse(cls, config: Mapping[str, Any], default_format: str, where: str) -> FileLayout:
        """Return the layout that a node configures.

        Args:
            config: the node's configuration.
            default_format: the profile's table format.
            where: the node's unique id, for error messages.

        Raises:
            AdapterError: a value is invalid, or the format does not support the layout. The error names the key.
        """
        layout = cls(
            capabilities.table_format(config.get("file_format") or default_format),
            _columns(config, "partition_by", where),
            _columns(config, "clustered_by", where),
            config.get("target_file_size_mb"),
            _columns(config, "sorted_within", where),
        )
        target, name = layout.target_mb, layout.table_format.name
        if target is not None and (isinstance(target, bool) or not isinstance(target, int) or target < 1):
            raise _invalid_value(where, "target_file_size_mb", "a whole number of MB, at least 1,", target)
        partitions = {item.casefold() for item in layout.partition_by}
        if both := [item for item in layout.clustered_by if item.casefold() in partitions]:
            raise AdapterError(
                f"columns other than those of partition_by as clustered_by of {where}",
                f"{', '.join(both)} in both",
                "leave it out of clustered_by: within a partition it has one value",
            )
        refused = {
            "target_file_size_mb": bool(target) and not layout.table_format.sizes_files,
            "sorted_within": bool(layout.sorted_within) and layout.table_format.sorts_with is None,
        }
        for key in (name for name, is_refused in refused.items() if is_refused):
            raise AdapterError(
                f"a file_format whose files follow the query, for {key} of {where}",
                f"{name}, which arranges its rows by the table's own properties",
                f"leave {key} out and set those in tblproperties (Iceberg: write.target-file-size-bytes)",
            )
        return layout

    @property
    def rebalanced(self) -> bool:
        """Whether Spark's hint REBALANCE in the query controls the file size, instead of Delta's optimized writes.

        Only a partitioned Delta table without a sort uses optimized writes, because optimized writes undo a sort. In an
        unpartitioned table, optimized writes would also send all rows to one task, and they cannot split the rows that
        came from a single task.
        """
        optimized_write = self.table_format.optimizes and bool(self.partition_by) and not self.sorted_within
        return self.target_mb is not None and not optimized_write

    def properties(self) -> dict[str, str]:
        """Return the table properties that the layout needs."""
        return dict(self.table_format.sorts_with or {}) if self.sorted_within else {}

    def session_settings(self) -> dict[str, str]:
        """Return the settings of the session that writes the table."""
        settings: dict[str, str] = {}
        delta, target = self.table_format.optimizes, self.target_mb
        if delta and (target is not None or self.sorted_within):
            # In a table with a sort, both are off, because optimized writes and auto-compaction would move rows after
            # the sort.
            settings[f"{DELTA}optimizeWrite.enabled"] = "false" if self.rebalanced or self.sorted_within else "true"
            settings[f"{DELTA}autoCompact.enabled"] = "false" if self.sorted_within else "true"
        if target is None:
            return settings
        shuffled = f"{target * SHUFFLE_BYTES_PER_FILE_BYTE}m"
        if self.rebalanced:
            settings |= {
                f"{ADAPTIVE}advisoryPartitionSizeInBytes": shuffled,
                # By default, Spark prefers to run a task on every core. Each task writes its own files, so files would
                # be too small.
                f"{ADAPTIVE}coalescePartitions.parallelismFirst": "false",
                # If the last part of a split is smaller than half of the advisory size, Spark merges it with the part
                # before it.
                f"{ADAPTIVE}rebalancePartitionsSmallPartitionFactor": "0.5",
            }
        if delta:
            settings |= {
                f"{DELTA}optimizeWrite.binSize": shuffled,
                # Delta compacts files that are too small in a separate commit after the write.
                f"{DELTA}autoCompact.minNumFiles": "2",
                f"{DELTA}autoCompact.maxFileSize": str(target * MB),
                f"{DELTA}autoCompact.minFileSize": str(target * MB // 4),
                f"{DELTA}autoCompact.maxNumModifiedPartitions": "100000",
            }
        return {**settings, **self.maintenance()}

    def maintenance(self) -> dict[str, str]:
        """Return the settings of a session that runs OPTIMIZE on the table."""
        if self.target_mb is None or not self.table_format.optimizes:
            return {}
        return {
            f"{DELTA}optimize.maxFileSize": str(self.target_mb * MB),
            f"{DELTA}optimize.minFileSize": str(self.target_mb * MB // 4),
        }

    def arranged(self, select: str) -> str:
        """Return a query that repartitions and sorts the rows of another query for this layout."""
        return sorted_query(select, self.partition_by, self.rebalanced, self.sorted_within)


def session_settings(config: Mapping[str, Any], default_format: str, where: str) -> dict[str, str]:
    """Return all settings of a node's session.

    For a unit test, the settings are UNIT_TEST_SETTINGS. For other nodes, they come from the node's layout. In both
    cases, the node's `spark_conf` overrides these settings.

    Raises:
        AdapterError: a value is invalid. The error names the key.
    """
    own = spark_conf.parse_conf(config.get("spark_conf"), where)
    if config.get("materialized") == "unit":
        return {**spark_conf.UNIT_TEST_SETTINGS, **own}
    if config.get("materialized") not in STORED:
        return own
    return {**FileLayout.parse(config, default_format, where).session_settings(), **own}


def node_layout(node: Mapping[str, Any], default_format: str) -> FileLayout:
    """Return a node's layout.

    Raises:
        AdapterError: a value is invalid, or the format does not support the layout.
    """
    return FileLayout.parse(node["config"], default_format, str(node["unique_id"]))
