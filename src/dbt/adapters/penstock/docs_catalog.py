"""The catalog of `dbt docs generate`: the columns, owners, sizes and comments of relations."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.contracts.relation import RelationConfig
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.clients.agate_helper import Integer
from dbt_common.contracts.metadata import CatalogTable, ColumnMetadata, StatsItem, TableMetadata
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.relation_lookup import RelationLookup, Schema

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter


def catalog_table(rows: list[dict[str, Any]]) -> Any:
    """Return the catalog's rows as a table without converting text. For example, '007' and 'null' stay text."""
    import agate

    names = list(dict.fromkeys(name for row in rows for name in row))

    def type_of(name: str) -> Any:
        values = [row.get(name) for row in rows]
        if all(isinstance(value, bool) or value is None for value in values):
            return agate.Boolean()
        if all(isinstance(value, int) or value is None for value in values):
            return Integer()
        return agate.Text(cast_nulls=False)

    return agate.Table([[row.get(name) for name in names] for row in rows], names, [type_of(name) for name in names])


class DocsCatalog:
    """Reads the catalog of dbt's documentation.

    Args:
        adapter: sends the statements.
        lookup: finds the relations.
    """

    def __init__(self, adapter: PenstockAdapter, lookup: RelationLookup) -> None:
        self._adapter, self._lookup = adapter, lookup

    def get_filtered_catalog(
        self, relation_configs: Iterable[RelationConfig], used_schemas: Any, relations: set[BaseRelation] | None = None
    ) -> tuple[Any, list[Exception]]:
        """Return the catalog's rows of some nodes, with the databases that the nodes configure.

        dbt finds the rows of a node by the node's configured database, which may be another spelling of the catalog's
        name.
        """
        configs = list(relation_configs)
        table, failed = SparkAdapter.get_filtered_catalog(self._adapter, configs, used_schemas, relations)
        configured = databases.configured_databases(configs)
        rows = []
        for row in (item.dict() for item in table.rows):
            key = (*Schema.of(row["table_database"], row["table_schema"]).key, row["table_name"].lower())
            rows += [{**row, "table_database": database} for database in configured.get(key, {row["table_database"]})]
        return catalog_table(rows), failed

    def get_catalog(self, relation_configs: Iterable[RelationConfig], used_schemas: Any) -> tuple[Any, list[Exception]]:
        """Return columns, owners and sizes of the project's relations, for `dbt docs generate`."""
        return self._catalog(self._lookup.names(relation_configs))

    def get_catalog_by_relations(self, used_schemas: Any, relations: set[BaseRelation]) -> tuple[Any, list[Exception]]:
        """Return the catalog of some relations, for `dbt docs generate --select`."""
        names: dict[Schema, set[str]] = {}
        for relation in relations:
            schema = Schema.of(relation.database, str(relation.schema))
            names.setdefault(schema, set()).add(str(relation.identifier).lower())
        return self._catalog(names)

    def _catalog(self, names: dict[Schema, set[str]]) -> tuple[Any, list[Exception]]:
        rows: list[dict[str, Any]] = []
        failed: list[Exception] = []
        with self._lookup.lookups() as pool:
            futures = [
                pool.submit_connected(self._adapter, f"catalog_{schema.name}", self._schema_catalog, schema, of_schema)
                for schema, of_schema in names.items()
            ]
            for future in futures:
                try:
                    rows.extend(future.result())
                except DbtRuntimeError as error:
                    failed.append(error)
        return catalog_table(rows), failed

    def _schema_catalog(self, schema: Schema, names: set[str]) -> list[dict[str, Any]]:
        if schema.catalog and self._adapter.catalogs.class_name(schema.catalog) is None:
            return []  # a source that no model reads may be in a catalog that this server does not have
        rows = map(self._adapter._get_columns_for_catalog, self._lookup.find_in(schema, names))
        return list(itertools.chain.from_iterable(rows))

    def get_catalog_for_single_relation(self, relation: BaseRelation) -> CatalogTable | None:
        """Return a relation's columns, owner and size, or None if the relation does not exist."""
        schema, identifier = str(relation.schema), str(relation.identifier)
        matches = self._lookup.find(relation.database, schema, [identifier])
        if not matches:
            return None
        rows = list(self._adapter._get_columns_for_catalog(matches[0]))
        columns = {
            row["column_name"]: ColumnMetadata(
                row["column_type"], row["column_index"], row["column_name"], row.get("column_comment")
            )
            for row in rows
        }
        first = rows[0] if rows else {}
        stats = {
            name: StatsItem(
                id=name,
                label=first[f"stats:{name}:label"],
                value=first[f"stats:{name}:value"],
                include=first[f"stats:{name}:include"],
                description=first[f"stats:{name}:description"],
            )
            for name in ("bytes", "rows")
            if f"stats:{name}:label" in first
        }
        comment, owner = first.get("table_comment"), first.get("table_owner")
        metadata = TableMetadata(str(matches[0].type), schema, identifier, comment=comment, owner=owner)
        return CatalogTable(metadata=metadata, columns=columns, stats=stats)
