"""Nodes and sources of a dbt manifest, as far as the adapter reads them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

INTERVAL = {"materialized": "incremental", "incremental_strategy": "interval"}


class NodeConfig(SimpleNamespace):
    """A node's configuration."""

    def to_dict(self, omit_none: bool) -> dict[str, Any]:
        return dict(vars(self))

    def get(self, key: str) -> Any:
        return vars(self).get(key)


def manifest_node(name: str, *parents: str, kind: str = "model", **config: Any) -> Any:
    """Return a node that depends on others."""
    return SimpleNamespace(
        unique_id=name,
        name=name,
        resource_type=kind,
        database=None,
        schema="w",
        alias=name,
        checksum=SimpleNamespace(checksum=f"text of {name}"),
        config=NodeConfig(**{"materialized": "table", **config}),
        depends_on=SimpleNamespace(nodes=list(parents), macros=[]),
    )


def manifest_source(name: str, schema: str = "lake") -> Any:
    """Return a source table."""
    return SimpleNamespace(unique_id=name, name=name, resource_type="source", schema=schema, identifier=name)
