"""What the adapter and each table format can do: the one table that the macros, the writer and dbt read.

A behaviour that depends on the format is asked of here by name (`format.merge`), never decided by
comparing the format's name elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.capability import Capability, CapabilityDict, CapabilitySupport, Support
from dbt_common.contracts.constraints import ConstraintType

from dbt.adapters.penstock.errors import AdapterError


@dataclass(frozen=True)
class TableFormat:
    """A table format of Spark.

    Attributes:
        name: as in `using NAME`.
        atomic: `create or replace table … as select` is one commit; the old table stays until then.
        merge: `merge into` works, hence the strategy `merge` and snapshots.
        replace_where: `insert into … replace where` swaps the rows of a condition in one commit.
        overwrites_partitions: `insert overwrite` replaces only the partitions that the rows fall in.
        parallel_batches: batches of disjoint conditions may be written side by side.
        clusters: `clustered_by` becomes clustering (`cluster by`); otherwise it makes buckets.
        constraints: check and not-null constraints are enforced by the table.
        optimizes: `optimize` and `vacuum` keep its files, and writes can be optimised as they happen.
        arranges: a write's files hold the query's rows in its order, a task's rows in files of its own.
        analyzes: `analyze table` keeps its statistics in the catalog.
        clones: `shallow clone` makes a table that shares another one's files.
        schema_change: columns can be added to the table.
        drop_columns_with: table properties that let columns be dropped; None when they can't be.
        widen_columns_with: table properties that let a column's type widen; None when it can't.
        features: whether some columns need table properties before the table takes them.
        catalog: how the class of the server's `spark_catalog` must begin; None when any will do.
    """

    name: str
    atomic: bool = False
    merge: bool = False
    replace_where: bool = False
    overwrites_partitions: bool = True
    parallel_batches: bool = False
    clusters: bool = False
    constraints: bool = False
    optimizes: bool = False
    arranges: bool = True
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
        interval = ("interval",) if self.replace_where else ()
        return ("append", *merge, "insert_overwrite", "microbatch", *interval)


FORMATS = {
    item.name: item
    for item in (
        TableFormat(
            "delta",
            atomic=True,
            merge=True,
            replace_where=True,
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
            arranges=False,
            analyzes=False,
            drop_columns_with={},
            widen_columns_with={},
            catalog="org.apache.iceberg.",
        ),
        TableFormat("hudi", merge=True, arranges=False),
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
    """A table format by its name.

    Raises:
        DbtRuntimeError: no such format; the known ones are named.
    """
    try:
        return FORMATS[name.lower()]
    except KeyError:
        known = ", ".join(FORMATS)
        raise AdapterError(
            "a file_format",
            name,
            f"use one of {known}",
        ) from None


def check_catalog(wanted: TableFormat, catalog: str) -> None:
    """Refuse a format whose tables the server's catalog can't hold.

    Args:
        wanted: the format.
        catalog: the class of the server's `spark_catalog`.

    Raises:
        DbtRuntimeError: says which setting of the server to change.
    """
    if wanted.catalog and not catalog.startswith(wanted.catalog):
        raise AdapterError(
            f"a server whose spark.sql.catalog.spark_catalog is {wanted.catalog}…, for file_format: {wanted.name}",
            catalog,
            "use file_format: delta, or set that catalog for the whole server (docs/connections.md); "
            "one spark_catalog can't be both Delta's and Iceberg's",
        )
