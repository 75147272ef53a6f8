"""The `database` of nodes and sources. It is the name of a Spark catalog.

A relation in the target's default catalog has no database, so its SQL name is `schema.name`. The SQL name of any other
relation is `database.schema.name`. The profile's key `database` sets the default catalog; without the key it is
`spark_catalog`. A configuration may write a catalog's name in any letter case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from dbt.adapters.contracts.relation import RelationConfig

from penstock.sql.names import quote_identifier

SPARK_CATALOG = "spark_catalog"
# Names that need no quotes, and names that already have quotes. A dot separates the parts of a nested schema.
READY = re.compile(r"[A-Za-z0-9_.]+|.*`.*", re.DOTALL)
_default = SPARK_CATALOG


def set_default(name: str | None) -> str:
    """Set the default catalog of this process, and return its name. The credentials of a target call this function."""
    global _default
    _default = name or SPARK_CATALOG
    return _default


def default() -> str:
    """Return the default catalog."""
    return _default


def other_catalog(database: str | None, schema: str | None = None) -> str | None:
    """Return a database if it names a catalog other than the default catalog, or else None.

    Args:
        database: the configured database. None, an empty string and the schema's name mean the default catalog.
        schema: the relation's schema.
    """
    if not database or database == schema or str(database).lower() == _default.lower():
        return None
    return str(database)


def catalog_of(database: str | None, schema: str | None = None) -> str:
    """Return the catalog that a configured database means."""
    return other_catalog(database, schema) or _default


def is_spark_catalog(catalog: str | None) -> bool:
    """Return whether a catalog is `spark_catalog`. None means the default catalog.

    Callers need the result, because `spark_catalog` differs from other catalogs: it stores names in lower case, lists
    views together with tables, and drops schemas that aren't empty.
    """
    return (catalog or _default).lower() == SPARK_CATALOG


def part(name: str) -> str:
    """Return a part of a relation's name as SQL. The part is quoted only if it needs quotes."""
    return name if READY.fullmatch(name) else quote_identifier(name)


def schema_name(database: str | None, schema: str) -> str:
    """Return a schema's name as SQL. If the schema is not in the default catalog, the name begins with the catalog."""
    catalog = other_catalog(database, schema)
    return f"{part(catalog)}.{part(schema)}" if catalog else part(schema)


def in_spark_catalog(name: str) -> str:
    """Return the SQL name of a `schema.table` in `spark_catalog`. The name is right with any default catalog."""
    return name if _default.lower() == SPARK_CATALOG else f"{SPARK_CATALOG}.{name}"


def describe_node(node: Any) -> str:
    """Return the type, name and file of a node or source as text for a message."""
    resource_type = str(getattr(node, "resource_type", "") or "node")
    name = ".".join(filter(None, (getattr(node, "source_name", None), getattr(node, "name", None))))
    path = getattr(node, "original_file_path", None)
    return f"{resource_type} {name} ({path})" if path else f"{resource_type} {name}"


def catalogs_of_node(node: Any, manifest: Any) -> Iterator[tuple[str, Any]]:
    """Yield each catalog, other than the default catalog, that a node writes or reads.

    Yields:
        The catalog, and the node or source in the catalog. The node itself comes first.
    """
    parents = getattr(getattr(node, "depends_on", None), "nodes", None) or ()
    for item in (node, *(manifest.nodes.get(name) or manifest.sources.get(name) for name in parents)):
        if item is not None and (catalog := other_catalog(getattr(item, "database", None), item.schema)):
            yield catalog, item


def configured_databases(nodes: Iterable[RelationConfig]) -> dict[tuple[str | None, str, str], set[str | None]]:
    """Return the configured databases of nodes. Several spellings may mean the same catalog.

    Returns:
        The databases by (catalog, schema, name), all in lower case. The catalog is None for the default catalog. The
        database is None for a node without a configured database.
    """
    databases: dict[tuple[str | None, str, str], set[str | None]] = {}
    for node in nodes:
        catalog = other_catalog(node.database, node.schema)
        database = node.database.lower() if node.database is not None else None
        key = (catalog.lower() if catalog else None, node.schema.lower(), node.identifier.lower())
        databases.setdefault(key, set()).add(database)
    return databases
