"""Print the lineage of a column as a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from penstock.lineage.lineage_graph import Column, Edge, LineageGraph
from penstock.lineage.manifest_nodes import Json, label
from penstock.lineage.origins import ROWS, Kind

STYLES = {Kind.DIRECT: "dim", Kind.GUESSED: "yellow", Kind.UNRESOLVED: "red"}
SEEN = "see above"


def show(
    console: Console, graph: LineageGraph, nodes: Mapping[str, Json], start: Column, downstream: bool = False
) -> None:
    """Print the tree of a column's inputs, or of the columns that are computed from it.

    Args:
        console: where to print.
        graph: the lineage of all columns.
        nodes: the nodes of the manifest by unique id.
        start: unique id of a node, and one of its columns.
        downstream: whether to show the columns that are computed from the column. Otherwise, its inputs are shown.
    """
    tree = Tree(Text(_name(nodes, *start), "bold"), guide_style="dim")
    _add(tree, start, graph.children if downstream else graph.parents, downstream, nodes, set())
    if not tree.children:
        tree.add(Text("no column is computed from it" if downstream else _leaf(nodes[start[0]]), "dim"))
    console.print(tree)


def _add(
    tree: Tree,
    column: Column,
    next_edges: Callable[[str, str], list[Edge]],
    downstream: bool,
    nodes: Mapping[str, Json],
    seen: set[Column],
) -> None:
    """Add the edges of a column to the tree. If a column occurs repeatedly, only the first one has its edges."""
    seen.add(column)
    for edge in next_edges(*column):
        end = (edge.node, edge.column) if downstream else (edge.parent, edge.parent_column)
        repeated = end in seen and bool(end[0]) and end[1] != ROWS and bool(next_edges(*end))
        branch = tree.add(_line(edge, end, nodes, repeated))
        if end[0] and not repeated:
            _add(branch, end, next_edges, downstream, nodes, seen)


def _line(edge: Edge, end: Column, nodes: Mapping[str, Json], repeated: bool) -> Text:
    kind = Text(edge.kind.value, STYLES.get(edge.kind, "cyan"))
    if not end[0]:
        return Text.assemble(kind, ": ", end[1])
    return Text.assemble(_name(nodes, *end), "  ", kind, (f"  ({SEEN})" if repeated else "", "dim"))


def _name(nodes: Mapping[str, Json], unique_id: str, column: str) -> str:
    name = label(nodes[unique_id])
    return f"rows of {name}" if column == ROWS else f"{name}.{column}"


def _leaf(node: Json) -> str:
    return f"a {node['resource_type']}: it has no inputs in the project"
