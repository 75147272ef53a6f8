"""`database` of a node or source: the name of Spark's default catalog, or of another one, which can't be read.

A relation's own database is None: names have two parts. The default catalog's name, in any letter case, means
the same. A source of another catalog harms nothing until something reads it.
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
        database: as configured; None, the empty text and the schema's own name stand for no database.
        schema: the relation's schema.
    """
    return bool(database) and database != schema and str(database).lower() != DEFAULT_CATALOG


def described(node: Any) -> str:
    """Return a node or source in words: its kind, name and file."""
    kind = str(getattr(node, "resource_type", "") or "node")
    name = ".".join(filter(None, (getattr(node, "source_name", None), getattr(node, "name", None))))
    path = getattr(node, "original_file_path", None)
    return f"{kind} {name} ({path})" if path else f"{kind} {name}"


def refused(database: str, what: str) -> DbtRuntimeError:
    """The error for a relation of another catalog that is used.

    Args:
        database: as configured.
        what: the node or source, in words.
    """
    return AdapterError(
        f"{what} in Spark's default catalog, {DEFAULT_CATALOG}",
        f"database: {database}",
        f"leave database out of its configuration, or set it to {DEFAULT_CATALOG}",
    )


def check(node: Any) -> None:
    """Refuse to build a node in another catalog.

    Raises:
        DbtRuntimeError: names the node and its file.
    """
    if is_foreign(getattr(node, "database", None), getattr(node, "schema", None)):
        raise refused(node.database, described(node))


def configured(nodes: Iterable[RelationConfig]) -> dict[tuple[str, str], set[str | None]]:
    """Return the databases that nodes of the default catalog are configured with, in lower case, by schema and name."""
    found: dict[tuple[str, str], set[str | None]] = {}
    for node in nodes:
        if not is_foreign(node.database, node.schema):
            database = node.database.lower() if node.database is not None else None
            found.setdefault((node.schema.lower(), node.identifier.lower()), set()).add(database)
    return found


def check_read(relation: Any) -> None:
    """Refuse to read a relation of another catalog.

    Raises:
        DbtRuntimeError: names the source or model with its file, or else the relation.
    """
    if relation.database:
        raise refused(relation.database, relation.described or f"{relation.schema}.{relation.identifier}")
