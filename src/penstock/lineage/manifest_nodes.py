"""The nodes of dbt's manifest that have columns, with the relations that compiled code reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

from penstock.lineage.query_scope import EPHEMERAL, relation_key

Json = Mapping[str, Any]
TYPES = ("model", "seed", "snapshot")
_NAME_PART = re.compile(r"`((?:[^`]|``)+)`|([^.`]+)")


@dataclass(frozen=True)
class ManifestNodes:
    """The models, seeds, snapshots and sources of a manifest.

    Attributes:
        manifest: dbt's manifest.json, parsed.
    """

    manifest: Json

    @cached_property
    def by_id(self) -> dict[str, Json]:
        """Return the nodes by their unique ids."""
        nodes = {key: node for key, node in self.manifest["nodes"].items() if node["resource_type"] in TYPES}
        return {**nodes, **self.manifest.get("sources", {})}

    @cached_property
    def by_relation(self) -> dict[str, str]:
        """Return a dictionary from the name of each relation, as `relation_key` writes it, to its node's unique id.

        An ephemeral model has the name of its CTE. With `--defer`, compiled code may read a node's relation in another
        schema, so the dictionary also has the name of that relation.
        """
        found: dict[str, str] = {}
        for unique_id, node in self.by_id.items():
            names = [node.get("relation_name"), (node.get("defer_relation") or {}).get("relation_name")]
            for name in filter(None, names):
                found.setdefault(relation_key(*_parts(name)), unique_id)
            if is_ephemeral(node) and node.get("compiled_code"):
                found[f"{EPHEMERAL}{node['name']}".lower()] = unique_id
        return found

    @cached_property
    def relations(self) -> dict[str, list[str]]:
        """Return the names of the relations by unique id."""
        found: dict[str, list[str]] = {}
        for relation, unique_id in self.by_relation.items():
            found.setdefault(unique_id, []).append(relation)
        return found

    def in_order(self) -> Iterator[str]:
        """Yield the unique ids of all nodes, each after its inputs."""
        yield from TopologicalSorter({key: self.inputs(key) for key in self.by_id}).static_order()

    def inputs(self, unique_id: str) -> list[str]:
        """Return the unique ids of the models, seeds, snapshots and sources that a node reads."""
        listed = self.by_id[unique_id].get("depends_on", {}).get("nodes") or []
        return [item for item in listed if item in self.by_id and item != unique_id]

    def documented(self, unique_id: str) -> dict[str, str]:
        """Return the documented columns of a node in lower case, with their types. An unknown type is an empty text."""
        columns = self.by_id[unique_id].get("columns") or {}
        return {name.lower(): str(column.get("data_type") or "") for name, column in columns.items()}

    def has_contract(self, unique_id: str) -> bool:
        """Return whether a contract ensures that the documented columns are all columns."""
        return bool((self.by_id[unique_id].get("contract") or {}).get("enforced"))


def label(node: Json) -> str:
    """Return the name of a node as a user types it. For a table of a source, it is `SOURCE.TABLE`."""
    return f"{node['source_name']}.{node['name']}" if node["resource_type"] == "source" else str(node["name"])


def is_ephemeral(node: Json) -> bool:
    """Return whether a node is an ephemeral model."""
    return bool(node.get("config", {}).get("materialized") == "ephemeral")


def is_python(node: Json) -> bool:
    """Return whether a node is a Python model."""
    return bool(node.get("language") == "python")


def _parts(name: str) -> list[str]:
    return [(quoted or plain).replace("``", "`") for quoted, plain in _NAME_PART.findall(name)]
