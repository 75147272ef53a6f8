"""Check the `database` of nodes and sources. The adapter can only use Spark's default catalog.

The adapter's relations have no database, so their names are `schema.name`. A configuration may name the default catalog
in any letter case. A source in another catalog causes an error only if a node or a freshness check reads the source.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbt.adapters.contracts.relation import RelationConfig
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError

DEFAULT_CATALOG = "spark_catalog"


def is_foreign(database: str | None, schema: str | None = None) -> bool:
    """Return whether a database names a catalog other than Spark's default catalog.

    Args:
        database: the configured database. None, an empty string and the schema's name mean the default catalog.
        schema: the relation's schema.
    """
    return bool(database) and database != schema and str(database).lower() != DEFAULT_CATALOG


def describe_node(node: Any) -> str:
    """Return the type, name and file of a node or source as text for a message."""
    resource_type = str(getattr(node, "resource_type", "") or "node")
    name = ".".join(filter(None, (getattr(node, "source_name", None), getattr(node, "name", None))))
    path = getattr(node, "original_file_path", None)
    return f"{resource_type} {name} ({path})" if path else f"{resource_type} {name}"


def foreign_catalog_error(database: str, description: str) -> DbtRuntimeError:
    """Return the error for a node or source in another catalog.

    Args:
        database: the configured database.
        description: the description of the node or source.
    """
    return AdapterError(
        f"{description} in Spark's default catalog, {DEFAULT_CATALOG}",
        f"database: {database}",
        f"leave database out of its configuration, or set it to {DEFAULT_CATALOG}",
    )


def check_node(node: Any) -> None:
    """Check, before a node is built, that the node is in the default catalog.

    Raises:
        AdapterError: the node is in another catalog.
    """
    if is_foreign(getattr(node, "database", None), getattr(node, "schema", None)):
        raise foreign_catalog_error(node.database, describe_node(node))


def configured_databases(nodes: Iterable[RelationConfig]) -> dict[tuple[str, str], set[str | None]]:
    """Return the configured databases of the nodes that are in the default catalog.

    Returns:
        The databases by (schema, name), all in lower case. None stands for a node without a configured database.
    """
    databases: dict[tuple[str, str], set[str | None]] = {}
    for node in nodes:
        if not is_foreign(node.database, node.schema):
            database = node.database.lower() if node.database is not None else None
            databases.setdefault((node.schema.lower(), node.identifier.lower()), set()).add(database)
    return databases


def check_read(relation: Any) -> None:
    """Check, before a relation is read, that the relation is in the default catalog.

    Raises:
        AdapterError: the relation is in another catalog.
    """
    if relation.database:
        description = relation.description or f"{relation.schema}.{relation.identifier}"
        raise foreign_catalog_error(relation.database, description)
