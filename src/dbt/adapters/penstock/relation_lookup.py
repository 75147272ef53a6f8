"""Look up the tables and views of the project's nodes by name.

dbt lists whole schemas before a run and for its docs. For such a list Spark calls the metastore once for each table,
so a schema with thousands of tables would slow down every run. The adapter lists only the names of the project's
nodes. It looks up other names when a macro needs them, and lists a whole schema when a macro needs all relations.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.contracts.relation import RelationConfig
from dbt.adapters.spark.impl import (
    SCHEMA_NOT_FOUND_MESSAGES,
    TABLE_OR_VIEW_NOT_FOUND_MESSAGES,
    SparkAdapter,
)
from dbt_common.clients.agate_helper import Integer
from dbt_common.contracts.metadata import CatalogTable, ColumnMetadata, StatsItem, TableMetadata
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.utils import executor

from dbt.adapters.penstock import databases

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

NOT_FOUND = (*SCHEMA_NOT_FOUND_MESSAGES, *TABLE_OR_VIEW_NOT_FOUND_MESSAGES)
ICEBERG = "table_type=ICEBERG"
NO_EXTENDED = "SHOW TABLE EXTENDED is not supported"


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


def information(relation: BaseRelation) -> str:
    """Return the output of SHOW TABLE EXTENDED for a relation, or an empty text if the output is not known."""
    return getattr(relation, "information", None) or ""


def mark_iceberg(relations: Iterable[BaseRelation]) -> list[BaseRelation]:
    """Return the relations, with `is_iceberg` set for Iceberg tables.

    dbt-spark looks only at a table's provider, but Hive's metastore stores the format in a table property.
    """
    return [item.incorporate(is_iceberg=True) if ICEBERG in information(item) else item for item in relations]


def has_definition(relation: BaseRelation, definition: str) -> bool:
    """Return whether the given hash is the definition hash in a view's table properties."""
    return f"penstock.definition={definition}" in information(relation)


class RelationLookup:
    """Relations and their columns, looked up by name.

    Args:
        adapter: sends the statements and holds dbt's cache of relations.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter
        # The names that were looked up, by schema. Names and schemas are in lower case. A schema without an entry was
        # listed completely, or not at all.
        self._looked_up: dict[str, set[str]] = {}

    def _names(self, relation_configs: Iterable[RelationConfig]) -> dict[str, set[str]]:
        """Return the names of the nodes' relations by schema. Names and schemas are in lower case."""
        names: dict[str, set[str]] = {}
        for config in relation_configs:
            if databases.is_foreign(config.database, config.schema):
                continue
            relation = self._adapter.Relation.create_from(quoting=self._adapter.config, relation_config=config)
            if relation.schema and relation.identifier:
                names.setdefault(relation.schema.lower(), set()).add(relation.identifier.lower())
        return names

    def find(self, schema: str, names: Iterable[str]) -> list[BaseRelation]:
        """Return a schema's tables and views with these names. The list is empty if the schema does not exist."""
        arguments = {"schema": schema, "pattern": "|".join(sorted(names))}
        try:
            rows = self._adapter.execute_macro("penstock_show_tables", kwargs=arguments)
            get_information = self._adapter._get_relation_information
        except DbtRuntimeError as error:
            if any(text in error.msg for text in NOT_FOUND):
                return []
            if NO_EXTENDED not in error.msg:
                raise
            rows = self._adapter.execute_macro("penstock_show_table_names", kwargs=arguments)
            get_information = self._adapter._get_relation_information_using_describe
        return self._adapter._build_spark_relation_list(row_list=rows, relation_info_func=get_information)

    @contextlib.contextmanager
    def _lookups(self) -> Iterator[Any]:
        """Yield a thread pool for lookups. After an interrupt or a failure, cancel the statements of its threads."""
        with executor(self._adapter.config) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._adapter.connections.cancel_open()
                raise

    def fill_cache(
        self, relation_configs: Iterable[RelationConfig], cache_schemas: set[BaseRelation] | None = None
    ) -> None:
        """Look up the project's relations in each schema, and add them to dbt's cache."""
        configs = list(relation_configs)
        schemas = {item.schema for item in cache_schemas or self._adapter._get_cache_schemas(configs) if item.schema}
        known = set(map(str.lower, schemas))
        names = {schema: of_schema for schema, of_schema in self._names(configs).items() if schema in known}
        with self._lookups() as pool:
            futures = [
                pool.submit_connected(self._adapter, f"list_{schema}", self.find, schema, of_schema)
                for schema, of_schema in names.items()
            ]
            for future in futures:
                for relation in future.result():
                    self._adapter.cache.add(relation)
        self._looked_up.update(names)
        self._adapter.cache.update_schemas({(None, schema) for schema in schemas})

    def list_schemas(self, database: str | None) -> list[str]:
        """Return all schemas. The list is cached, since dbt requests the list once for each schema of the project."""

        def show() -> tuple[list[str], bool]:
            return SparkAdapter.list_schemas(self._adapter, database), True

        # A statement that creates or drops a schema counts as a change of every relation, so it clears this list.
        return list(self._adapter.connections.descriptions.get("show databases", "", lambda relation: False, show))

    def list_relations(self, database: str | None, schema: str) -> list[BaseRelation]:
        """Return every relation of a schema. If only some names were looked up so far, list the whole schema."""
        if schema.lower() in self._looked_up:
            whole = self._adapter.Relation.create(schema=schema, identifier="").without_identifier()
            # The caller may have no connection, since dbt's cache needs no connection.
            connected = self._adapter.connections.get_if_exists() is not None
            with contextlib.nullcontext() if connected else self._adapter.connection_named(f"list_{schema}"):
                for relation in self._adapter.list_relations_without_caching(whole):
                    self._adapter.cache.add(relation)
            self._looked_up.pop(schema.lower(), None)
        relations: list[BaseRelation] = SparkAdapter.list_relations(self._adapter, None, schema)
        return relations

    def get_relation(self, database: str | None, schema: str, identifier: str) -> BaseRelation | None:
        """Return a relation by name from dbt's cache. A name that belongs to no node is looked up once."""
        looked_up = self._looked_up.get(schema.lower()) if schema and identifier else None
        if looked_up is None:
            return SparkAdapter.get_relation(self._adapter, None, schema, identifier)
        if identifier.lower() not in looked_up:
            for relation in self.find(schema, [identifier]):
                self._adapter.cache.add(relation)
            looked_up.add(identifier.lower())
        matches = self._adapter._make_match(self._adapter.cache.get_relations(None, schema), None, schema, identifier)
        return matches[0] if matches else None

    def get_filtered_catalog(
        self, relation_configs: Iterable[RelationConfig], used_schemas: Any, relations: set[BaseRelation] | None = None
    ) -> tuple[Any, list[Exception]]:
        """Return the catalog of nodes, with the configured databases. dbt finds a node's rows by its database."""
        configs = list(relation_configs)
        table, failed = SparkAdapter.get_filtered_catalog(self._adapter, configs, used_schemas, relations)
        configured = databases.configured_databases(configs)
        rows = [
            {**row, "table_database": database}
            for row in (item.dict() for item in table.rows)
            for database in configured.get((row["table_schema"].lower(), row["table_name"].lower()), {None})
        ]
        return catalog_table(rows), failed

    def get_catalog(self, relation_configs: Iterable[RelationConfig], used_schemas: Any) -> tuple[Any, list[Exception]]:
        """Return columns, owners and sizes of the project's relations, for `dbt docs generate`."""
        return self._catalog(self._names(relation_configs))

    def get_catalog_by_relations(self, used_schemas: Any, relations: set[BaseRelation]) -> tuple[Any, list[Exception]]:
        """Return the catalog of some relations, for `dbt docs generate --select`."""
        names: dict[str, set[str]] = {}
        for relation in relations:
            if not relation.database:
                names.setdefault(str(relation.schema).lower(), set()).add(str(relation.identifier).lower())
        return self._catalog(names)

    def _catalog(self, names: dict[str, set[str]]) -> tuple[Any, list[Exception]]:
        rows: list[dict[str, Any]] = []
        failed: list[Exception] = []
        with self._lookups() as pool:
            futures = [
                pool.submit_connected(self._adapter, f"catalog_{schema}", self._schema_catalog, schema, of_schema)
                for schema, of_schema in names.items()
            ]
            for future in futures:
                try:
                    rows.extend(future.result())
                except DbtRuntimeError as error:
                    failed.append(error)
        return catalog_table(rows), failed

    def _schema_catalog(self, schema: str, names: set[str]) -> list[dict[str, Any]]:
        rows = map(self._adapter._get_columns_for_catalog, self.find(schema, names))
        return list(itertools.chain.from_iterable(rows))

    def get_catalog_for_single_relation(self, relation: BaseRelation) -> CatalogTable | None:
        """Return a relation's columns, owner and size, or None if the relation does not exist."""
        schema, identifier = str(relation.schema), str(relation.identifier)
        matches = self.find(schema, [identifier])
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
