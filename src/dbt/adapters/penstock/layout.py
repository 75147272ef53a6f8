"""The layout of a node's table by its configuration: what its session is told and how its query is wrapped.

Open-source Delta has no property for a file's size, so it is a matter of the session that writes.
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
# Shuffled rows are wider than the same rows in a file: bytes of Spark's shuffle by bytes of Delta's
# parquet files, on the sampled trips of `penstock sample --rows 3000000`: yellow 2.2, green 2.5,
# fhvhv 1.8. Few columns of few values come to 5.
SHUFFLE_BYTES_PER_FILE_BYTE = 2
ADAPTIVE = "spark.sql.adaptive."
DELTA = "spark.databricks.delta."
STORED = ("table", "incremental", "snapshot", "seed")


def _refused(where: str, key: str, needed: str, value: Any) -> DbtRuntimeError:
    return AdapterError(f"{needed} as {key} of {where}", repr(value), f"correct {key} in its config")


def _columns(config: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """One column or a list of columns.

    Raises:
        DbtRuntimeError: anything else.
    """
    value = config.get(key)
    listed = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else value
    if listed is None:
        return ()
    if not isinstance(listed, list) or any(not isinstance(item, str) or not item.strip() for item in listed):
        raise _refused(where, key, "a column or a list of columns", value)
    if twice := {item for item in listed if [other.casefold() for other in listed].count(item.casefold()) > 1}:
        raise _refused(where, key, f"each column once ({', '.join(sorted(twice))})", value)
    return tuple(listed)


@dataclass(frozen=True)
class FileLayout:
    """How a table's rows lie in its files.

    Attributes:
        table_format: the table's format.
        partition_by: partition columns, or the format's transforms.
        clustered_by: columns that rows lie together by: clustering, Z-order or buckets.
        target_mb: MB that a file is to come to; None leaves it to the format.
        sorted_within: columns that the rows of each file are sorted by.
    """

    table_format: TableFormat
    partition_by: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ()
    target_mb: int | None = None
    sorted_within: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any], default_format: str, where: str) -> FileLayout:
        """The layout in a node's configuration.

        Args:
            config: the node's.
            default_format: the profile's table format.
            where: the node, for messages.

        Raises:
            DbtRuntimeError: a value of the wrong kind, or a layout that the format doesn't have; its
                key is named.
        """
        found = cls(
            capabilities.table_format(config.get("file_format") or default_format),
            _columns(config, "partition_by", where),
            _columns(config, "clustered_by", where),
            config.get("target_file_size_mb"),
            _columns(config, "sorted_within", where),
        )
        target, name = found.target_mb, found.table_format.name
        if target is not None and (isinstance(target, bool) or not isinstance(target, int) or target < 1):
            raise _refused(where, "target_file_size_mb", "a whole number of MB, at least 1,", target)
        partitions = {item.casefold() for item in found.partition_by}
        if both := [item for item in found.clustered_by if item.casefold() in partitions]:
            raise AdapterError(
                f"columns other than those of partition_by as clustered_by of {where}",
                f"{', '.join(both)} in both",
                "leave it out of clustered_by: within a partition it has one value",
            )
        if not found.table_format.arranges and (target or found.sorted_within):
            key = "target_file_size_mb" if target else "sorted_within"
            raise AdapterError(
                f"a file_format whose files follow the query, for {key} of {where}",
                f"{name}, which arranges its rows by the table's own properties",
                f"leave {key} out and set those in tblproperties (Iceberg: write.target-file-size-bytes)",
            )
        return found

    @property
    def rebalanced(self) -> bool:
        """Whether the query is wrapped with a rebalance, which keeps a sort and evens out whole tables.

        Delta's optimised writes undo a sort, and bring an unpartitioned table's rows to one task, whose
        input they can't divide below what a single task sent there.
        """
        optimised = self.table_format.optimizes and bool(self.partition_by) and not self.sorted_within
        return self.target_mb is not None and not optimised

    def session(self) -> dict[str, str]:
        """The settings of the session that writes the table."""
        settings: dict[str, str] = {}
        delta, target = self.table_format.optimizes, self.target_mb
        if delta and (target is not None or self.sorted_within):
            # Both would shuffle or concatenate rows after they were sorted.
            settings[f"{DELTA}optimizeWrite.enabled"] = "false" if self.rebalanced or self.sorted_within else "true"
            settings[f"{DELTA}autoCompact.enabled"] = "false" if self.sorted_within else "true"
        if target is None:
            return settings
        shuffled = f"{target * SHUFFLE_BYTES_PER_FILE_BYTE}m"
        if self.rebalanced:
            settings |= {
                f"{ADAPTIVE}advisoryPartitionSizeInBytes": shuffled,
                # Otherwise every core gets a task, and each task its files.
                f"{ADAPTIVE}coalescePartitions.parallelismFirst": "false",
                # The last piece of a task that is split goes to the one before it when it is small.
                f"{ADAPTIVE}rebalancePartitionsSmallPartitionFactor": "0.5",
            }
        if delta:
            settings |= {
                f"{DELTA}optimizeWrite.binSize": shuffled,
                # What the write leaves too small is put together in a commit behind it.
                f"{DELTA}autoCompact.minNumFiles": "2",
                f"{DELTA}autoCompact.maxFileSize": str(target * MB),
                f"{DELTA}autoCompact.minFileSize": str(target * MB // 4),
                f"{DELTA}autoCompact.maxNumModifiedPartitions": "100000",
            }
        return {**settings, **self.maintenance()}

    def maintenance(self) -> dict[str, str]:
        """The settings of a session that runs OPTIMIZE on the table."""
        if self.target_mb is None or not self.table_format.optimizes:
            return {}
        return {
            f"{DELTA}optimize.maxFileSize": str(self.target_mb * MB),
            f"{DELTA}optimize.minFileSize": str(self.target_mb * MB // 4),
        }

    def arranged(self, select: str) -> str:
        """A query's rows on their way into the table."""
        return sorted_query(select, self.partition_by, self.rebalanced, self.sorted_within)


def session_of(config: Mapping[str, Any], default_format: str, where: str) -> dict[str, str]:
    """All settings of a node's session: those of its layout or of a unit test, and its `spark_conf`, which wins.

    Raises:
        DbtRuntimeError: a value of the wrong kind; its key is named.
    """
    own = spark_conf.configured(config.get("spark_conf"), where)
    if config.get("materialized") == "unit":
        return {**spark_conf.INTERPRETED, **own}
    if config.get("materialized") not in STORED:
        return own
    return {**FileLayout.of(config, default_format, where).session(), **own}


def of_node(node: Mapping[str, Any], default_format: str) -> FileLayout:
    """Return a node's layout.

    Raises:
        DbtRuntimeError: see FileLayout.of.
    """
    return FileLayout.of(node["config"], default_format, str(node["unique_id"]))
