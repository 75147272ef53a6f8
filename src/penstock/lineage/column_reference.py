"""Find the column that a user names as MODEL.COLUMN."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from penstock.errors import PenstockError
from penstock.lineage.lineage_graph import LineageGraph
from penstock.lineage.manifest_nodes import Json, label

SOURCE_METHOD = "source:"


def find(text: str, nodes: Mapping[str, Json], graph: LineageGraph) -> tuple[str, str]:
    """Return the unique id of a node, and its column, in lower case.

    Args:
        text: `MODEL.COLUMN`, or `SOURCE.TABLE.COLUMN` with or without `source:`. A package name may precede either.
        nodes: the nodes of the manifest by unique id.
        graph: the lineage of all columns.

    Raises:
        PenstockError: there is no such node or column. The message contains similar names.
    """
    name, _, column = text.strip().lower().removeprefix(SOURCE_METHOD).rpartition(".")
    by_name = _by_name(nodes)
    if not name or (name not in by_name and text.strip().lower() in by_name):
        whole = text.strip().lower().removeprefix(SOURCE_METHOD)
        columns = graph.columns.get(by_name.get(whole, ""), {})
        raise PenstockError("a column, as in MODEL.COLUMN", f"only `{text}`", _columns(whole, columns, nodes))
    if name not in by_name:
        found = f"no model, seed, snapshot or source `{name}`"
        raise PenstockError("a node of this project", found, _similar_node(name, nodes))
    unique_id = by_name[name]
    columns = graph.columns.get(unique_id, {})
    if column not in columns:
        listed = ", ".join(columns) or "none is known"
        do = _similar(column, columns) or f"name one of its columns: {listed}"
        raise PenstockError(f"a column of {name}", f"no `{column}`", do)
    return unique_id, column


def _by_name(nodes: Mapping[str, Json]) -> dict[str, str]:
    found: dict[str, str] = {}
    for unique_id, node in nodes.items():
        for name in (label(node), f"{node['package_name']}.{label(node)}", unique_id):
            found.setdefault(name.lower(), unique_id)
    return found


def _columns(name: str, columns: Iterable[str], nodes: Mapping[str, Json]) -> str:
    listed = ", ".join(columns)
    return f"name one of its columns: {listed}" if listed else _similar_node(name, nodes)


def _similar_node(name: str, nodes: Mapping[str, Json]) -> str:
    return _similar(name, sorted({label(node) for node in nodes.values()})) or "see `dbt ls`"


def _similar(name: str, names: Iterable[str]) -> str:
    """Return a question with the names that are similar to a wrong name, or an empty string."""
    listed = [item for item in names if item != "*"]
    similar = difflib.get_close_matches(name, listed, 3, 0.6)
    words = set(name.split("_"))
    similar += [other for other in listed if other not in similar and words & set(other.split("_"))][: 3 - len(similar)]
    return f"did you mean {' or '.join(f'`{item}`' for item in similar)}?" if similar else ""
