"""OpenLineage facets of datasets: columns, rows written, and which input columns an output column comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset

from dbt.adapters.penstock.run_records.node_runs import find, relation

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter


@dataclass(frozen=True)
class InputColumn:
    """An input column of an output column.

    Attributes:
        unique_id: dbt's unique id of the input.
        column: the name of the column.
        kind: OpenLineage's type of the dependency: `DIRECT`, or `INDIRECT` for filters, joins and groupings.
        subtype: OpenLineage's subtype, such as `IDENTITY`, `TRANSFORMATION` or `AGGREGATION`.
    """

    unique_id: str
    column: str
    kind: str = "DIRECT"
    subtype: str | None = None


# The entry point of a function that is called with dbt's manifest and `Columns.types`, and returns a ColumnLineage. The
# adapter doesn't import the package `penstock.lineage`, which is a higher layer.
COLUMN_LINEAGE = "penstock.column_lineage"
# Returns the input columns of each column of a node.
ColumnLineage = Callable[[str], Mapping[str, Sequence[InputColumn]]]


class Columns:
    """The columns of nodes and sources, without statements of their own.

    Args:
        adapter: has the columns that it read in this command.
        manifest: dbt's manifest.
        target: dbt's target folder, which may have a catalog of `dbt docs generate`.
    """

    def __init__(self, adapter: PenstockAdapter, manifest: Any, target: Path) -> None:
        self._adapter, self._manifest, self._target = adapter, manifest, target

    @cached_property
    def _catalog(self) -> dict[str, Any]:
        try:
            catalog = json.loads((self._target / "catalog.json").read_text())
            return {**catalog["nodes"], **catalog["sources"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def types(self, unique_id: str) -> dict[str, str]:
        """Return the types of the columns by name, in order; a type is empty if it is unknown.

        They come from the query or file that built the relation, a cached DESCRIBE, the catalog or the documentation.
        """
        node = find(self._manifest, unique_id)
        if built := self._adapter.columns.built.get(unique_id):
            return {column.name: column.dtype for column in built}
        if described := self._adapter.columns.cached_types(relation(node)):
            return described
        cataloged = self._catalog.get(unique_id, {}).get("columns", {})
        if cataloged:
            return {name: column["type"] for name, column in cataloged.items()}
        return {name: column.data_type or "" for name, column in node.columns.items()}

    def facet(self, unique_id: str) -> schema_dataset.SchemaDatasetFacet | None:
        """Return the schema facet of a node or source, or None if its columns are unknown."""
        documented = {name.lower(): column for name, column in find(self._manifest, unique_id).columns.items()}
        fields = [
            schema_dataset.SchemaDatasetFacetFields(
                name=name,
                type=data_type or None,
                description=(documented[name.lower()].description or None) if name.lower() in documented else None,
            )
            for name, data_type in self.types(unique_id).items()
        ]
        return schema_dataset.SchemaDatasetFacet(fields=fields) if fields else None


def column_lineage(
    lineage: Mapping[str, Sequence[InputColumn]], dataset: Callable[[str], tuple[str, str]]
) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Return the column lineage facet of a node.

    Args:
        lineage: the input columns of each of its columns.
        dataset: returns the namespace and name of an input.
    """

    def field(item: InputColumn) -> column_lineage_dataset.InputField:
        namespace, name = dataset(item.unique_id)
        how = column_lineage_dataset.Transformation(type=item.kind, subtype=item.subtype)
        return column_lineage_dataset.InputField(namespace, name, item.column, transformations=[how])

    fields = {
        column: column_lineage_dataset.Fields(inputFields=[field(item) for item in items])
        for column, items in lineage.items()
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields)
