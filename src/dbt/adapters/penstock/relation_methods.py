"""dbt's methods for relations, schemas and columns. Each method only calls the module or object that does the work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.relation import RelationConfig
from dbt_common.contracts.metadata import CatalogTable

from dbt.adapters.penstock import column_names, columns, relation_lookup
from dbt.adapters.penstock.columns import PenstockColumn
from dbt.adapters.penstock.docs_catalog import DocsCatalog
from dbt.adapters.penstock.macro_methods import MacroMethods
from dbt.adapters.penstock.relation_lookup import RelationLookup


class RelationMethods(MacroMethods):
    """dbt-spark's adapter with penstock's lookup of relations.

    Attributes:
        lookup: finds relations and schemas.
        docs_catalog: reads the catalog of `dbt docs generate`.
    """

    lookup: RelationLookup
    docs_catalog: DocsCatalog

    def _relations_cache_for_schemas(
        self, relation_configs: Iterable[RelationConfig], cache_schemas: set[BaseRelation] | None = None
    ) -> None:
        self.lookup.fill_cache(relation_configs, cache_schemas)

    def _build_spark_relation_list(self, *arguments: Any, **options: Any) -> list[BaseRelation]:
        return relation_lookup.mark_iceberg(super()._build_spark_relation_list(*arguments, **options))

    def list_schemas(self, database: str | None) -> list[str]:
        """Return the names of a catalog's schemas."""
        return self.lookup.list_schemas(database)

    def create_schema(self, relation: BaseRelation) -> None:
        """Create a schema."""
        self.lookup.create_schema(relation)

    def list_relations_without_caching(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """Return every relation of a schema, as Spark lists them, and not from dbt's cache."""
        return self.lookup.list_all(schema_relation)

    def list_relations(self, database: str | None, schema: str) -> list[BaseRelation]:
        """Return every relation of a schema."""
        return self.lookup.list_relations(database, schema)

    def get_relation(self, database: str | None, schema: str, identifier: str) -> BaseRelation | None:
        """Return the relation with this name, or None if the relation does not exist."""
        return self.lookup.get_relation(database, schema, identifier)

    @available.parse_list
    def relations_to_drop(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """Return the relations to drop before their schema can be dropped."""
        return self.lookup.relations_to_drop(schema_relation)

    def parse_describe_extended(self, relation: BaseRelation, raw_rows: Any) -> list[PenstockColumn]:
        """Return the columns that the rows of DESCRIBE TABLE EXTENDED describe."""
        return columns.with_details(super().parse_describe_extended(relation, raw_rows), raw_rows, relation.database)

    @available.parse_list
    def get_missing_columns(self, from_relation: BaseRelation, to_relation: BaseRelation) -> list[Any]:
        """Return the columns of `from_relation` that `to_relation` lacks."""
        columns = self.get_columns_in_relation(from_relation)
        return column_names.without(columns, self.get_columns_in_relation(to_relation))

    # The catalog of `dbt docs generate`

    def get_filtered_catalog(
        self, relation_configs: Iterable[RelationConfig], used_schemas: Any, relations: set[BaseRelation] | None = None
    ) -> tuple[Any, list[Exception]]:
        """Return the columns, owners and sizes of the relations of some nodes."""
        return self.docs_catalog.get_filtered_catalog(relation_configs, used_schemas, relations)

    def get_catalog(self, relation_configs: Iterable[RelationConfig], used_schemas: Any) -> tuple[Any, list[Exception]]:
        """Return the columns, owners and sizes of the project's relations."""
        return self.docs_catalog.get_catalog(relation_configs, used_schemas)

    def get_catalog_by_relations(self, used_schemas: Any, relations: set[BaseRelation]) -> tuple[Any, list[Exception]]:
        """Return the columns, owners and sizes of some relations."""
        return self.docs_catalog.get_catalog_by_relations(used_schemas, relations)

    def get_catalog_for_single_relation(self, relation: BaseRelation) -> CatalogTable | None:
        """Return the columns, owner and size of a relation, or None if the relation doesn't exist."""
        return self.docs_catalog.get_catalog_for_single_relation(relation)

    def _get_columns_for_catalog(self, relation: BaseRelation) -> Iterable[dict[str, Any]]:
        return columns.catalog_rows(self.get_columns_in_relation(relation))
