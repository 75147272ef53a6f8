"""The facet `columnLineage` of OpenLineage, as JSON values. This module needs no OpenLineage client.

https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.lineage.lineage_graph import LineageGraph
from penstock.lineage.origins import ROWS, Kind, Use

Json = dict[str, Any]
# Returns the namespace and the name of a node's dataset, by unique id.
Dataset = Callable[[str], tuple[str, str]]
SUBTYPES = {
    Kind.DIRECT: "IDENTITY",
    Kind.TRANSFORMED: "TRANSFORMATION",
    Kind.AGGREGATED: "AGGREGATION",
    Kind.DECLARED: "TRANSFORMATION",
    Kind.GUESSED: "TRANSFORMATION",
}
DESCRIPTIONS = {Kind.DECLARED: "declared in meta", Kind.GUESSED: "guessed from equal names"}
USES = {Use.FILTER: "FILTER", Use.JOIN: "JOIN", Use.GROUP_BY: "GROUP_BY", Use.SORT: "SORT"}


def facet(graph: LineageGraph, node: str, dataset: Dataset) -> Json:
    """Return the fields of the facet of one node: `fields` and `dataset`.

    `fields` has the input columns of each column. `dataset` has the columns that affect which rows the node has, but
    no value. Inputs without a column, such as the rows that `count(*)` counts, are left out.

    Args:
        graph: the lineage of all columns.
        node: unique id of the node.
        dataset: returns the dataset of a node.
    """
    fields: dict[str, Json] = {}
    for column in graph.columns.get(node, {}):
        edges = [edge for edge in graph.parents(node, column) if edge.parent and edge.parent_column != ROWS]
        inputs = [
            _input(dataset(edge.parent), edge.parent_column, "DIRECT", SUBTYPES[edge.kind], DESCRIPTIONS.get(edge.kind))
            for edge in edges
        ]
        if inputs:
            fields[column] = {"inputFields": inputs}
    uses = [_input(dataset(parent), name, "INDIRECT", USES[use]) for parent, name, use in graph.uses.get(node, ())]
    return {"fields": fields, "dataset": uses}


def _input(dataset: tuple[str, str], field: str, kind: str, subtype: str, description: str | None = None) -> Json:
    transformation = {"type": kind, "subtype": subtype, "description": description or "", "masking": False}
    return {"namespace": dataset[0], "name": dataset[1], "field": field, "transformations": [transformation]}
