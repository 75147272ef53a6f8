"""The `database` of nodes and sources: Spark's default catalog, or another catalog, which the adapter cannot use.

A relation has no database: its name is `schema.name`. A configuration may name the default catalog, in any letter
case. A source in another catalog is refused only when something reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbt.adapters.contracts.relation import RelationConfig
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError

DEFAULT_CATALOG = "spark_catalog"


def is_foreign(database: str | None, schema: str | None = None) -> bool:
    """Return whether a database names a catalog other than Spark's default one.

    Args:
        database: as configured; None, an empty string and the schema's name mean the default catalog.
        schema: the relation's schema.
    """
    return bool(database) and database != schema and str(database).lower() != DEFAULT_CATALOG


def describe_node(node: Any) -> str:
    """Return a description of a node or source for a message: its type, name and file."""
    resource_type = str(getattr(node, "resource_type", "") or "node")
    name = ".".join(filter(None, (getattr(node, "source_name", None), getattr(node, "name", None))))
    path = getattr(node, "original_file_path", None)
    return f"{resource_type} {name} ({path})" if path else f"{resource_type} {name}"


def foreign_catalog_error(database: str, description: str) -> DbtRuntimeError:
    """Return the error for the use of a relation in another catalog.

    Args:
        database: as configured.
        description: of the node or source.
    """
    return AdapterError(
        f"{description} in Spark's default catalog, {DEFAULT_CATALOG}",
        f"database: {database}",
        f"leave database out of its configuration, or set it to {DEFAULT_CATALOG}",
    )


def check_node(node: Any) -> None:
    """Check that a node that is to be built is in the default catalog.

    Raises:
        AdapterError: it is not.
    """
    if is_foreign(getattr(node, "database", None), getattr(node, "schema", None)):
        raise foreign_catalog_error(node.database, describe_node(node))


def configured_databases(nodes: Iterable[RelationConfig]) -> dict[tuple[str, str], set[str | None]]:
    """Return the configured databases of nodes in the default catalog, in lower case, by schema and name."""
    databases: dict[tuple[str, str], set[str | None]] = {}
    for node in nodes:
        if not is_foreign(node.database, node.schema):
            database = node.database.lower() if node.database is not None else None
            databases.setdefault((node.schema.lower(), node.identifier.lower()), set()).add(database)
    return databases


def check_read(relation: Any) -> None:
    """Check that a relation that is to be read is in the default catalog.

    Raises:
        AdapterError: it is not.
    """
    if relation.database:
        description = relation.description or f"{relation.schema}.{relation.identifier}"
        raise foreign_catalog_error(relation.database, description)
