"""Where a model that is read lies: with `--defer`, the other environment's table when this one has none."""

from __future__ import annotations

from typing import Any

from dbt import selected_resources


def lies(adapter: Any, node: Any) -> Any:
    """A node as dbt's own `ref` resolves it: the node itself, or what it is deferred to.

    Args:
        adapter: knows the command line, and which tables there are.
        node: a model of the manifest.
    """
    deferred = getattr(node, "defer_relation", None)
    arguments = adapter.config.args
    if not deferred or not getattr(arguments, "defer", False):
        return node
    if getattr(arguments, "favor_state", False) and node.unique_id not in selected_resources.SELECTED_RESOURCES:
        return deferred
    return node if adapter.get_relation(node.database, node.schema, node.alias) else deferred
