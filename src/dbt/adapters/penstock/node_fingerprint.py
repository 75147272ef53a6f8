"""Fingerprints of models: hashes of the code that determines a model's plan.

This code consists of the model's query, configuration and macros, and of the views that the model reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

# Configuration keys that do not change the model's statements.
IGNORED_KEYS = {
    *("tags", "meta", "docs", "description", "group", "access", "freshness", "persist_docs", "grants", "enabled"),
    *("intervals_per_commit", "on_code_change", "quarantine_when"),
}
# Packages whose macros are not part of a fingerprint. So an upgrade of dbt or of an adapter leaves fingerprints
# unchanged.
IGNORED_PACKAGES = {"dbt", "dbt_spark", "dbt_penstock"}


def fingerprint(manifest: Any, node_id: str) -> str:
    """Return a short hash of a model's code, configuration and macros.

    The hash includes the code, configuration and macros of the views and ephemeral models that the model reads.

    Args:
        manifest: dbt's manifest.
        node_id: dbt's unique id.
    """
    digest = hashlib.sha256()
    for node in (manifest.nodes[node_id], *_inlined(manifest, node_id)):
        config = {k: v for k, v in node.config.to_dict(omit_none=True).items() if k not in IGNORED_KEYS}
        digest.update(json.dumps([node.checksum.checksum, config], sort_keys=True, default=str).encode())
        for macro in sorted(_macros(manifest, node.depends_on.macros)):
            digest.update(manifest.macros[macro].macro_sql.encode())
    return digest.hexdigest()[:16]


def _macros(manifest: Any, names: list[str]) -> set[str]:
    """Return the named macros and all macros that they call, except those of dbt and of adapters."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        macro = manifest.macros.get(name)
        if macro is not None and name not in reached and macro.package_name not in IGNORED_PACKAGES:
            reached.add(name)
            waiting.extend(macro.depends_on.macros)
    return reached


def _inlined(manifest: Any, node_id: str) -> Iterator[Any]:
    """Yield each view and ephemeral model whose code is part of a node's plan. The order is fixed."""
    seen: set[str] = set()
    waiting = [node_id]
    while waiting:
        # A seed reads no nodes, so its `depends_on` has only macros.
        for parent in sorted(getattr(manifest.nodes[waiting.pop()].depends_on, "nodes", ())):
            node = manifest.nodes.get(parent)
            if node is not None and parent not in seen and not is_stored(node):
                seen.add(parent)
                waiting.append(parent)
                yield node


def is_stored(node: Any) -> bool:
    """Return whether a node stores its rows in a table. Views and ephemeral models do not."""
    return node.resource_type != "model" or node.config.materialized not in ("view", "ephemeral")


def relation_name(node: Any) -> str:
    """Return the name of a node's or source's relation as `schema.table`, in lower case."""
    return f"{node.schema}.{getattr(node, 'alias', None) or node.identifier}".lower()


def views(manifest: Any, node_id: str) -> dict[str, list[str]]:
    """Return the views that a node's query reads, each with the stored tables that the view reads.

    The result includes views and stored tables that the query reads through other views.
    """
    return {
        relation_name(node): sorted(_stored_tables(manifest, node.unique_id))
        for node in _inlined(manifest, node_id)
        if node.config.materialized == "view"
    }


def _stored_tables(manifest: Any, node_id: str) -> set[str]:
    tables: set[str] = set()
    for parent in manifest.nodes[node_id].depends_on.nodes:
        node = manifest.nodes.get(parent) or manifest.sources.get(parent)
        if node is not None and parent in manifest.nodes and not is_stored(node):
            tables |= _stored_tables(manifest, parent)
        elif node is not None:
            tables.add(relation_name(node))
    return tables
