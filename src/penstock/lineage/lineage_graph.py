"""The graph of a project's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from penstock.lineage.origins import ROWS, Kind, Origin, Use, merged

Column = tuple[str, str]


@dataclass(frozen=True)
class Edge:
    """A column and one of its inputs.

    Attributes:
        node: unique id of the node that has the column.
        column: the column, in lower case.
        parent: unique id of the node that has the input column; empty if there is no input column.
        parent_column: the input column; `*` for the rows of the parent. If `parent` is empty, `parent_column` is the
            expression, or the reason why the input is not known.
        kind: how the column gets its values from the input.
    """

    node: str
    column: str
    parent: str
    parent_column: str
    kind: Kind


@dataclass(frozen=True)
class LineageGraph:
    """The inputs of all columns of a project.

    Attributes:
        columns: for each node (model, seed, snapshot or source, by unique id), its columns with their origins. The
            `relation` of an origin is a unique id. The columns of seeds and sources have no origins.
        uses: for each node, the input columns that affect its rows, as (unique id, column, use).
    """

    columns: Mapping[str, Mapping[str, tuple[Origin, ...]]]
    uses: Mapping[str, tuple[tuple[str, str, Use], ...]] = field(default_factory=dict)

    def parents(self, node: str, column: str) -> list[Edge]:
        """Return the edges from a column to its own inputs.

        Args:
            node: unique id of the node.
            column: the column, in any case.
        """
        name = column.lower()
        origins = self.columns.get(node, {}).get(name, ())
        return [Edge(node, name, origin.relation, origin.column, origin.kind) for origin in origins]

    def children(self, node: str, column: str) -> list[Edge]:
        """Return the edges to a column from the columns that are computed from it."""
        return self._children.get((node, column.lower()), [])

    @cached_property
    def _children(self) -> dict[Column, list[Edge]]:
        found: dict[Column, list[Edge]] = {}
        for node, columns in self.columns.items():
            for column in columns:
                for edge in self.parents(node, column):
                    if edge.parent:
                        found.setdefault((edge.parent, edge.parent_column), []).append(edge)
        return found

    def upstream(self, node: str, column: str) -> list[Edge]:
        """Return the edges from a column to its inputs, from each input to its own inputs, and so on, nearest first."""
        return list(self._walk((node, column.lower()), up=True))

    def downstream(self, node: str, column: str) -> list[Edge]:
        """Return the edges to a column from all columns that are computed from it, directly or through other columns.

        The nearest edges come first.
        """
        return list(self._walk((node, column.lower()), up=False))

    def _walk(self, start: Column, up: bool) -> Iterator[Edge]:
        seen, waiting = {start}, [start]
        while waiting:
            column = waiting.pop(0)
            for edge in self.parents(*column) if up else self.children(*column):
                yield edge
                end = (edge.parent, edge.parent_column) if up else (edge.node, edge.column)
                if end not in seen and end[0]:
                    seen.add(end)
                    waiting.append(end)

    def without(self, hidden: Collection[str]) -> LineageGraph:
        """Return the graph without some nodes. The inputs of a hidden node take its place.

        The graph must have no cycle of hidden nodes.

        Args:
            hidden: unique ids of nodes, such as ephemeral models, which have no table.
        """

        def visible(origin: Origin) -> Iterator[Origin]:
            if origin.relation not in hidden:
                yield origin
            elif origin.column != ROWS:
                for above in self.columns[origin.relation].get(origin.column, ()):
                    yield from (found.lifted(origin.kind) for found in visible(above))

        def uses(node: str) -> Iterator[tuple[str, str, Use]]:
            for parent, column, use in self.uses.get(node, ()):
                origins = visible(Origin(parent, column, Kind.DIRECT))
                yield from ((origin.relation, origin.column, use) for origin in origins if origin.relation)

        shown = [node for node in self.columns if node not in hidden]
        return LineageGraph(
            {
                node: {
                    column: merged(found for origin in origins for found in visible(origin))
                    for column, origins in self.columns[node].items()
                }
                for node in shown
            },
            {node: tuple(dict.fromkeys(uses(node))) for node in shown},
        )

    def unresolved(self) -> list[Edge]:
        """Return the edges of all columns whose input is not known. Each edge contains the reason."""
        columns = ((node, column) for node, listed in self.columns.items() for column in listed)
        return [edge for item in columns for edge in self.parents(*item) if edge.kind is Kind.UNRESOLVED]

    def as_dict(self) -> dict[str, dict[str, list[list[str]]]]:
        """Return the graph as JSON values: {unique_id: {column: [[parent_unique_id, parent_column, kind], …]}}.

        If there is no input column, `parent_unique_id` is empty. In this case, `parent_column` is the expression, or
        the reason why the input is not known.
        """
        return {
            node: {
                column: [[origin.relation, origin.column, origin.kind.value] for origin in origins]
                for column, origins in columns.items()
            }
            for node, columns in self.columns.items()
        }
