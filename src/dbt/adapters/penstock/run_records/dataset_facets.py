"""OpenLineage facets of datasets: the columns, and the input columns from which each output column comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset

from dbt.adapters.penstock.run_records.node_runs import find, relation

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter


# Returns the namespace and the name of a node's dataset, by unique id.
Dataset = Callable[[str], tuple[str, str]]
# Returns the facet `columnLineage` of a node as JSON values, with its keys `fields` and `dataset`.
ColumnLineage = Callable[[str, Dataset], Mapping[str, Any]]
# The group of an entry point. The entry point names a function that gets dbt's manifest and `Columns.types`, and
# returns a ColumnLineage. The adapter finds the function in this way because it must not import `penstock.lineage`,
# which is a higher layer.
COLUMN_LINEAGE = "penstock.column_lineage"


class Columns:
    """The columns of nodes and sources. To find them, this class sends no statements.

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
        """Return the types of the columns by name, in the order of the columns. An unknown type is an empty text.

        The types come from the first of these places that has them: the query or file that built the relation in this
        command, a cached DESCRIBE, the catalog of `dbt docs generate`, and the columns in the project's yml files.
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


def column_lineage(facet: Mapping[str, Any]) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Return the column lineage facet of a node from its JSON values."""

    def inputs(items: Iterable[Mapping[str, Any]]) -> list[column_lineage_dataset.InputField]:
        return [
            column_lineage_dataset.InputField(
                *(item["namespace"], item["name"], item["field"]),
                transformations=[column_lineage_dataset.Transformation(**how) for how in item["transformations"]],
            )
            for item in items
        ]

    fields = {
        column: column_lineage_dataset.Fields(inputFields=inputs(item["inputFields"]))
        for column, item in facet["fields"].items()
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=inputs(facet.get("dataset", ())))
