"""The capabilities of the adapter and of each table format. dbt, macros, and the code for Python models read them.

Code that depends on the format reads a field of `TableFormat`, such as `format.merge`, and never compares the format's
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.capability import Capability, CapabilityDict, CapabilitySupport, Support
from dbt_common.contracts.constraints import ConstraintType

from dbt.adapters.penstock.errors import AdapterError


@dataclass(frozen=True)
class TableFormat:
    """A table format of Spark.

    Attributes:
        name: the format's name in SQL, as in `using delta`.
        atomic: whether `create or replace table … as select` is one commit. If so, the old table remains until the
            commit.
        merge: whether `merge into` works. The strategy `merge` and snapshots need `merge into`.
        replace_where: whether `insert into … replace where` replaces the rows that match a condition in one commit.
        intervals: whether the strategy `interval` works. The strategy needs commits that replace the rows of some
            intervals, and a table history that shows the metadata of each commit.
        overwrites_partitions: whether `insert overwrite` replaces only the partitions of the new rows.
        parallel_batches: whether microbatches with disjoint conditions may be written at the same time.
        clusters: whether `clustered_by` becomes clustering (`cluster by`). Otherwise `clustered_by` becomes buckets.
        constraints: whether tables enforce check and not-null constraints.
        optimizes: whether `optimize`, `vacuum` and optimized writes are available.
        procedures: whether maintenance calls Iceberg's procedures, `call CATALOG.system.…`.
        sorts_with: the table properties that make each task of a write create its own files, with the rows in the
            query's order. The mapping is empty if each task does so anyway. None if no properties do that.
        sizes_files: whether Spark's hint REBALANCE in the query controls the size of files.
        analyzes: whether `analyze table` stores statistics in the catalog.
        clones: whether `shallow clone` creates a table that shares another table's files.
        schema_change: whether columns can be added to a table.
        drop_columns_with: the table properties that must be set before columns can be dropped. None if the format
            cannot drop columns.
        widen_columns_with: the table properties that must be set before a column's type can be widened. None if the
            format cannot widen types.
        features: whether columns of some types, or with some names, need table properties.
        catalog: how the class name of the table's catalog must begin. None if the format works in any catalog.
    """

    name: str
    atomic: bool = False
    merge: bool = False
    replace_where: bool = False
    intervals: bool = False
    overwrites_partitions: bool = True
    parallel_batches: bool = False
    clusters: bool = False
    constraints: bool = False
    optimizes: bool = False
    procedures: bool = False
    sorts_with: Mapping[str, str] | None = field(default_factory=dict)
    sizes_files: bool = True
    analyzes: bool = True
    clones: bool = False
    schema_change: bool = True
    drop_columns_with: dict[str, str] | None = None
    widen_columns_with: dict[str, str] | None = None
    features: bool = False
    catalog: str | None = None

    @property
    def strategies(self) -> tuple[str, ...]:
        """The incremental strategies that the format allows."""
        merge = ("merge",) if self.merge else ()
        interval = ("interval",) if self.intervals else ()
        return ("append", *merge, "insert_overwrite", "microbatch", *interval)


FORMATS = {
    item.name: item
    for item in (
        TableFormat(
            "delta",
            atomic=True,
            merge=True,
            replace_where=True,
            intervals=True,
            parallel_batches=True,
            clusters=True,
            constraints=True,
            optimizes=True,
            analyzes=False,
            clones=True,
            drop_columns_with={"delta.columnMapping.mode": "name"},
            widen_columns_with={"delta.enableTypeWidening": "true"},
            features=True,
        ),
        TableFormat(
            "iceberg",
            atomic=True,
            merge=True,
            intervals=True,
            procedures=True,
            # By default Iceberg shuffles and sorts the rows by partition, which undoes a sort of the query.
            sorts_with={"write.distribution-mode": "none", "write.spark.fanout.enabled": "true"},
            sizes_files=False,
            analyzes=False,
            drop_columns_with={},
            widen_columns_with={},
            catalog="org.apache.iceberg.",
        ),
        TableFormat("hudi", merge=True, sorts_with=None, sizes_files=False),
        *(TableFormat(name) for name in ("parquet", "orc", "hive", "csv", "json", "text", "avro")),
    )
}

CONSTRAINTS = {
    ConstraintType.check: ConstraintSupport.ENFORCED,
    ConstraintType.not_null: ConstraintSupport.ENFORCED,
    ConstraintType.unique: ConstraintSupport.NOT_ENFORCED,
    ConstraintType.primary_key: ConstraintSupport.NOT_ENFORCED,
    ConstraintType.foreign_key: ConstraintSupport.NOT_ENFORCED,
}

ADAPTER = CapabilityDict(
    {
        Capability.MicrobatchConcurrency: CapabilitySupport(support=Support.Full),
        Capability.SchemaMetadataByRelations: CapabilitySupport(support=Support.Full),
        Capability.GetCatalogForSingleRelation: CapabilitySupport(support=Support.Full),
    }
)


def table_format(name: str) -> TableFormat:
    """Return a table format by its name.

    Raises:
        AdapterError: the format is unknown.
    """
    try:
        return FORMATS[name.lower()]
    except KeyError:
        known = ", ".join(FORMATS)
        raise AdapterError("a file_format", name, f"use one of {known}") from None


def only_format(class_name: str) -> str | None:
    """Return the only table format that a catalog other than `spark_catalog` has, or None if it may have several.

    Args:
        class_name: the class of the catalog.
    """
    formats = [item.name for item in FORMATS.values() if item.catalog and class_name.startswith(item.catalog)]
    return formats[0] if formats else None


def check_catalog(wanted: TableFormat, catalog: str, class_name: str) -> None:
    """Check that a catalog supports a format.

    Args:
        wanted: the table format to check.
        catalog: the name of the catalog.
        class_name: the class of the catalog.

    Raises:
        AdapterError: the catalog does not support the format. The error names the server's setting.
    """
    if wanted.catalog and not class_name.startswith(wanted.catalog):
        raise AdapterError(
            f"a catalog whose class is {wanted.catalog}…, for file_format: {wanted.name}",
            f"spark.sql.catalog.{catalog} = {class_name}",
            "set `database` to such a catalog (server.catalogs in penstock.yml, docs/how-to/iceberg.md), or "
            "leave file_format out",
        )
    only = only_format(class_name)
    if only and only != wanted.name and catalog.lower() != "spark_catalog":
        raise AdapterError(
            f"file_format: {only}, the only one of the catalog {catalog}",
            f"file_format: {wanted.name}",
            "leave file_format out, or set `database` to another catalog",
        )
