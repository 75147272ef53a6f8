"""The column lineage of single nodes while dbt runs, for the OpenLineage events that the adapter sends.

The adapter finds this module through the entry point `penstock.column_lineage`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock.lineage import openlineage
from penstock.lineage.graph_builder import graph
from penstock.lineage.manifest_nodes import is_ephemeral
from penstock.lineage.openlineage import Dataset, Json

# Returns the columns of a node or source with their types, by unique id. An unknown type is an empty text.
Types = Callable[[str], Mapping[str, str]]


def of_command(manifest: Any, types: Types) -> Callable[[str, Dataset], Json]:
    """Return a function that returns the OpenLineage facet of a node, as `openlineage.facet` does.

    Call the returned function after the node has run, because dbt compiles a node just before it runs the node.

    Args:
        manifest: dbt's manifest.
        types: the columns of nodes and sources.
    """

    def facet(unique_id: str, dataset: Dataset) -> Json:
        read = _read_nodes(manifest, unique_id)
        nodes = {key: node for key, node in read.items() if key in manifest.nodes}
        sources = {key: node for key, node in read.items() if key not in manifest.nodes}
        schemas = {key: columns for key in read if key != unique_id and (columns := types(key))}
        found = graph({"nodes": nodes, "sources": sources}, schemas)
        # An ephemeral model is a part of the node's query and has no table, so it is no dataset of OpenLineage.
        found = found.without({key for key, node in read.items() if is_ephemeral(node)})
        return openlineage.facet(found, unique_id, dataset)

    return facet


def _read_nodes(manifest: Any, unique_id: str) -> dict[str, dict[str, Any]]:
    """Return a node and the nodes and sources that it reads, directly or through ephemeral models, as JSON."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [unique_id]
    while waiting:
        key = waiting.pop()
        node = manifest.nodes.get(key) or manifest.sources.get(key)
        if node is None or key in found:
            continue
        found[key] = node.to_dict(omit_none=False)
        if key == unique_id or is_ephemeral(found[key]):
            waiting.extend(found[key].get("depends_on", {}).get("nodes") or [])
        else:
            # Of a node that is read, only the columns are needed. A node without code gets no lineage.
            found[key]["compiled_code"] = None
    return found
