"""Look up the tables and views of the project's nodes by name.

dbt lists whole schemas before a run and for its docs. For such a list Spark calls the metastore once for each table, so
a schema with thousands of tables would slow down every run. Instead, the adapter looks up only the names of the
project's nodes. It looks up another name when a macro needs the name, and lists a whole schema when a macro needs all
relations.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.contracts.relation import RelationConfig, RelationType
from dbt.adapters.spark.impl import (
    SCHEMA_NOT_FOUND_MESSAGES,
    TABLE_OR_VIEW_NOT_FOUND_MESSAGES,
    SparkAdapter,
)
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.utils import executor

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.catalog_checks import CatalogChecks
from penstock.sql.names import unquote_identifier

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

NOT_FOUND = (*SCHEMA_NOT_FOUND_MESSAGES, *TABLE_OR_VIEW_NOT_FOUND_MESSAGES)
ICEBERG = "table_type=ICEBERG"
NO_EXTENDED = "SHOW TABLE EXTENDED is not supported"


def information(relation: BaseRelation) -> str:
    """Return the output of SHOW TABLE EXTENDED for a relation, or an empty text if the output is not known."""
    return getattr(relation, "information", None) or ""


def mark_iceberg(relations: Iterable[BaseRelation]) -> list[BaseRelation]:
    """Return the relations, with `is_iceberg` set for Iceberg tables.

    dbt-spark recognizes an Iceberg table only by its provider, but Hive's metastore stores this format in a table
    property.
    """
    return [item.incorporate(is_iceberg=True) if ICEBERG in information(item) else item for item in relations]


def has_definition(relation: BaseRelation, definition: str) -> bool:
    """Return whether a view's table properties contain this hash of the view's definition."""
    return f"penstock.definition={definition}" in information(relation)


@dataclass(frozen=True)
class Schema:
    """A schema of a catalog. The catalog is None for the default catalog."""

    catalog: str | None
    name: str

    @classmethod
    def of(cls, database: str | None, schema: str) -> Schema:
        """Return the schema that a configuration names. In `spark_catalog`, names of schemas are in lower case."""
        catalog = databases.other_catalog(database, schema)
        return cls(catalog, schema.lower() if databases.is_spark_catalog(catalog) else schema)

    @property
    def key(self) -> tuple[str | None, str]:
        """The catalog and the schema in lower case, as in dbt's cache."""
        return self.catalog and self.catalog.lower(), self.name.lower()


class RelationLookup:
    """Relations and their columns, looked up by name.

    Args:
        adapter: sends the statements and holds dbt's cache of relations.
        catalogs: records which catalogs cannot be used.
    """

    def __init__(self, adapter: PenstockAdapter, catalogs: CatalogChecks) -> None:
        self._adapter = adapter
        self._catalogs = catalogs
        # For each schema, by `Schema.key`: the names that were looked up, in lower case. A schema without an entry was
        # listed completely, or not at all.
        self._looked_up: dict[tuple[str | None, str], set[str]] = {}

    def names(self, relation_configs: Iterable[RelationConfig]) -> dict[Schema, set[str]]:
        """Return the names of the nodes' relations by schema. The names are in lower case."""
        names: dict[Schema, set[str]] = {}
        for config in relation_configs:
            relation = self._adapter.Relation.create_from(quoting=self._adapter.config, relation_config=config)
            if relation.schema and relation.identifier:
                schema = Schema.of(relation.database, relation.schema)
                names.setdefault(schema, set()).add(relation.identifier.lower())
        return names

    def find(self, database: str | None, schema: str, names: Iterable[str]) -> list[BaseRelation]:
        """Return a schema's tables and views with these names. The list is empty if the schema does not exist."""
        return self.find_in(Schema.of(database, schema), names)

    def find_in(self, schema: Schema, names: Iterable[str]) -> list[BaseRelation]:
        """Return the tables and views with these names, as `find` does."""
        adapter = self._adapter
        in_sql = databases.schema_name(schema.catalog, schema.name)
        arguments = {"schema": in_sql, "pattern": "|".join(sorted(names))}
        try:
            rows = adapter.execute_macro("penstock_show_tables", kwargs=arguments)
            get_information = adapter._get_relation_information
        except DbtRuntimeError as error:
            if any(text in error.msg for text in NOT_FOUND):
                return []
            if NO_EXTENDED not in error.msg:
                raise
            rows = adapter.execute_macro("penstock_show_table_names", kwargs=arguments)

            def get_information(row: Any) -> tuple[str, str, str]:
                _, name, text = adapter._get_relation_information_using_describe((in_sql, *row[1:]))
                return row[0], name, text

        relations: list[BaseRelation] = adapter._build_spark_relation_list(rows, get_information)
        found = [item.incorporate(path={"database": schema.catalog}) for item in relations]
        return found if databases.is_spark_catalog(schema.catalog) else [*found, *self._views(schema, arguments)]

    def _views(self, schema: Schema, arguments: dict[str, str]) -> list[BaseRelation]:
        """Return the views of a schema. Outside of `spark_catalog`, SHOW TABLE EXTENDED lists only tables."""
        return [
            self._adapter.Relation.create(schema.catalog, row[0], row[1], type=RelationType.View)
            for row in self._adapter.execute_macro("penstock_show_views", kwargs=arguments)
        ]

    @contextlib.contextmanager
    def lookups(self) -> Iterator[Any]:
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
        items = cache_schemas or self._adapter._get_cache_schemas(configs)
        schemas = {Schema.of(item.database, item.schema) for item in items if item.schema}
        names = {schema: of_schema for schema, of_schema in self.names(configs).items() if schema in schemas}
        with self.lookups() as pool:
            futures = {
                schema: pool.submit_connected(self._adapter, f"list_{schema.name}", self.find_in, schema, of_schema)
                for schema, of_schema in names.items()
                if not self._catalogs.failed(schema.catalog)
            }
            for schema, future in futures.items():
                with self._failures_recorded(schema.catalog):
                    for relation in future.result():
                        self._adapter.cache.add(relation)
        self._looked_up.update({schema.key: of_schema for schema, of_schema in names.items()})
        self._adapter.cache.update_schemas({schema.key for schema in schemas})

    @contextlib.contextmanager
    def _failures_recorded(self, catalog: str | None) -> Iterator[None]:
        """Record an error in the `with` block as the catalog's failure. For the default catalog, raise the error."""
        try:
            yield
        except DbtRuntimeError as error:
            if catalog is None:
                raise
            self._catalogs.record_failure(catalog, error)

    def list_schemas(self, database: str | None) -> list[str]:
        """Return all schemas of a catalog. The list is empty if the catalog cannot be used.

        The list is cached, since dbt requests the list once for each schema of the project.
        """
        catalog = databases.other_catalog(unquote_identifier(database) if database else None)
        if catalog and (self._catalogs.failed(catalog) or self._catalogs.class_name(catalog) is None):
            return []

        def show() -> tuple[list[str], bool]:
            try:
                return SparkAdapter.list_schemas(self._adapter, catalog and databases.part(catalog)), True
            except DbtRuntimeError as error:
                if catalog and any(text in error.msg for text in NOT_FOUND):
                    return [], False  # Iceberg's error if a catalog has no schemas and its folder does not exist yet
                raise

        # A statement that creates or drops a schema counts as a change of every relation, so it clears this list.
        descriptions = self._adapter.connections.descriptions
        with self._failures_recorded(catalog):
            return list(descriptions.get("show databases", catalog or "", lambda relation: False, show))
        return []

    def create_schema(self, relation: BaseRelation) -> None:
        """Create a schema, unless its catalog cannot be used."""
        if relation.database and self._catalogs.class_name(relation.database) is None:
            return
        if not self._catalogs.failed(relation.database):
            with self._failures_recorded(relation.database):
                SparkAdapter.create_schema(self._adapter, relation)

    def list_all(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """Return every relation of a schema without dbt's cache."""
        return self.find(schema_relation.database, str(schema_relation.schema), ["*"])

    def relations_to_drop(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """Return the relations to drop before their schema can be dropped. In `spark_catalog`, there are none."""
        catalog = databases.other_catalog(schema_relation.database, schema_relation.schema)
        return [] if databases.is_spark_catalog(catalog) else self.list_all(schema_relation)

    def list_relations(self, database: str | None, schema: str) -> list[BaseRelation]:
        """Return every relation of a schema. If only some names were looked up so far, list the whole schema."""
        key = Schema.of(database, schema).key
        if key in self._looked_up:
            whole = self._adapter.Relation.create(database, schema, "").without_identifier()
            # The caller may have no connection, since dbt's cache needs no connection.
            connected = self._adapter.connections.get_if_exists() is not None
            with contextlib.nullcontext() if connected else self._adapter.connection_named(f"list_{schema}"):
                for relation in self.list_all(whole):
                    self._adapter.cache.add(relation)
            self._looked_up.pop(key, None)
        catalog = databases.other_catalog(database, schema)
        relations: list[BaseRelation] = SparkAdapter.list_relations(self._adapter, catalog, schema)
        return relations

    def get_relation(self, database: str | None, schema: str, identifier: str) -> BaseRelation | None:
        """Return a relation by name from dbt's cache. A name that belongs to no node is looked up once."""
        catalog = databases.other_catalog(database, schema)
        looked_up = self._looked_up.get(Schema.of(database, schema).key) if schema and identifier else None
        if looked_up is None:
            relations = self.list_relations(database, schema) if schema and identifier else []
        else:
            if identifier.lower() not in looked_up:
                for relation in self.find(database, schema, [identifier]):
                    self._adapter.cache.add(relation)
                looked_up.add(identifier.lower())
            relations = self._adapter.cache.get_relations(catalog, schema)
        # Some catalogs keep the letter case of names, so an exact match comes first. dbt's own search expects names in
        # lower case, as `spark_catalog` stores them.
        matches = [relation for relation in relations if relation.identifier == identifier]
        matches = matches or self._adapter._make_match(relations, catalog, schema, identifier)
        return matches[0] if matches else None
