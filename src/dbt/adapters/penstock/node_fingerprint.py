"""What a plan belongs to: a model's code, with all that shapes its statement, and the tables behind its views."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

# Configuration that no statement of a model depends on.
WORDS = {"tags", "meta", "docs", "description", "group", "access", "freshness", "persist_docs", "grants", "enabled"}
WORDS |= {"intervals_per_commit", "on_code_change", "quarantine_when"}
# Macros of dbt and its adapters: another version of one is no change of the project.
INNER = {"dbt", "dbt_spark", "dbt_penstock"}


def fingerprint(manifest: Any, node_id: str) -> str:
    """A short name of a model's code: its text, configuration and macros, and those of the views it reads.

    Args:
        manifest: dbt's manifest.
        node_id: dbt's unique id.
    """
    digest = hashlib.sha256()
    for node in (manifest.nodes[node_id], *_inlined(manifest, node_id)):
        config = {k: v for k, v in node.config.to_dict(omit_none=True).items() if k not in WORDS}
        digest.update(json.dumps([node.checksum.checksum, config], sort_keys=True, default=str).encode())
        for macro in sorted(_macros(manifest, node.depends_on.macros)):
            digest.update(manifest.macros[macro].macro_sql.encode())
    return digest.hexdigest()[:16]


def _macros(manifest: Any, names: list[str]) -> set[str]:
    """The project's and its packages' macros among some and those that they call."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        macro = manifest.macros.get(name)
        if macro is not None and name not in found and macro.package_name not in INNER:
            found.add(name)
            waiting.extend(macro.depends_on.macros)
    return found


def _inlined(manifest: Any, node_id: str) -> Iterator[Any]:
    """The views and ephemeral models whose code is part of a node's plan, each once, in a fixed order."""
    seen: set[str] = set()
    waiting = [node_id]
    while waiting:
        for parent in sorted(manifest.nodes[waiting.pop()].depends_on.nodes):
            node = manifest.nodes.get(parent)
            if node is not None and parent not in seen and not is_stored(node):
                seen.add(parent)
                waiting.append(parent)
                yield node


def is_stored(node: Any) -> bool:
    """Whether a node's rows are stored, so that a plan begins by reading them."""
    return node.resource_type != "model" or node.config.materialized not in ("view", "ephemeral")


def name_of(node: Any) -> str:
    """A node's or source's relation as `schema.table`, in lower case."""
    return f"{node.schema}.{getattr(node, 'alias', None) or node.identifier}".lower()


def views(manifest: Any, node_id: str) -> dict[str, list[str]]:
    """For each view that a node's query reads, directly or not, the stored tables behind it."""
    return {
        name_of(node): sorted(_stored(manifest, node.unique_id))
        for node in _inlined(manifest, node_id)
        if node.config.materialized == "view"
    }


def _stored(manifest: Any, node_id: str) -> set[str]:
    found: set[str] = set()
    for parent in manifest.nodes[node_id].depends_on.nodes:
        node = manifest.nodes.get(parent) or manifest.sources.get(parent)
        if node is not None and parent in manifest.nodes and not is_stored(node):
            found |= _stored(manifest, parent)
        elif node is not None:
            found.add(name_of(node))
    return found
