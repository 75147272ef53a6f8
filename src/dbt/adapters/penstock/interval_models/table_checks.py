"""Check that the table of an interval model has a history that shows which intervals a commit wrote."""

from __future__ import annotations

from typing import Any

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.layout import FileLayout
from penstock.iceberg import partitions
from penstock.intervals.model_config import IntervalConfig


def check(node: dict[str, Any], table_format: str) -> None:
    """Check the catalog, format and partitions of an interval model's table.

    Args:
        node: the model.
        table_format: the name of the table's format.

    Raises:
        PenstockError: an Iceberg table has partitions with rows of several intervals, or the configuration is invalid.
        AdapterError: the table is neither a Delta table in `spark_catalog` nor an Iceberg table in another catalog.
    """
    name, config = str(node["name"]), node["config"]
    require_spark_catalog(f"{name} (strategy interval)")
    require_history(table_format, node.get("database"), name)
    if table_format == "iceberg":
        interval = IntervalConfig.parse(config, name)
        partition_by = FileLayout.parse(config, table_format, name).partition_by
        partitions.require(partition_by, interval.column, interval.grain.name, name)


def require_spark_catalog(user: str) -> None:
    """Check that the target's default catalog is `spark_catalog`.

    Raises:
        AdapterError: another catalog is the default.
    """
    if databases.default().lower() != databases.SPARK_CATALOG:
        raise AdapterError(
            f"{databases.SPARK_CATALOG} as the default catalog, for {user}, because the tables of the lake and the run "
            "ledger are there",
            f"the catalog {databases.default()}",
            "leave `database` out of the profile, and set `+database` on the nodes of other catalogs",
        )


def require_history(table_format: str, database: str | None, model: str) -> None:
    """Check that an interval model's table is a Delta table in `spark_catalog` or an Iceberg table in another catalog.

    Raises:
        AdapterError: the table is neither of these two.
    """
    in_spark_catalog = databases.catalog_of(database).lower() == databases.SPARK_CATALOG
    if in_spark_catalog != (table_format == "delta"):
        raise AdapterError(
            f"a Delta table in {databases.SPARK_CATALOG} or an Iceberg table in another catalog, for {model} (strategy "
            f"interval), because the run ledger is a Delta table in {databases.SPARK_CATALOG}",
            f"file_format: {table_format} in the catalog {databases.catalog_of(database)}",
            "set `database` or `file_format` of the model, or use another incremental_strategy",
        )
