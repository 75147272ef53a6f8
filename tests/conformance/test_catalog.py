"""The catalog that `dbt docs generate` writes, and columns asked of one relation."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.artifacts.schemas.catalog import CatalogTable, ColumnMetadata, TableMetadata
from dbt.tests.adapter.basic import expected_catalog
from dbt.tests.adapter.basic.test_docs_generate import BaseDocsGenerate, BaseDocsGenReferences
from dbt.tests.adapter.basic.test_get_catalog_for_single_relation import BaseGetCatalogForSingleRelation
from dbt.tests.adapter.catalog import files
from dbt.tests.adapter.catalog.relation_types import CatalogRelationTypes
from dbt.tests.util import check_relations_equal, run_dbt

from tests.conformance import adapters


class TestCatalogRelationTypes(CatalogRelationTypes):
    """Spark has no materialized views outside its pipelines."""

    @pytest.fixture(scope="class", autouse=True)
    def models(self) -> dict[str, Any]:
        return {"my_table.sql": files.MY_TABLE, "my_view.sql": files.MY_VIEW}

    @pytest.mark.parametrize(
        "node_name,relation_type",
        [("seed.test.my_seed", "table"), ("model.test.my_table", "table"), ("model.test.my_view", "view")],
    )
    def test_relation_types_populate_correctly(self, docs: Any, node_name: str, relation_type: str) -> None:
        super().test_relation_types_populate_correctly(docs, node_name, relation_type)


TYPES = {"id_type": "bigint", "text_type": "string", "time_type": "timestamp", "view_type": "view"}
NO_STATS = expected_catalog.no_stats()


class TablesOwner:
    """Equal to an owner of tables, and to None: a catalog of Iceberg stores no owner of a view."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return other in (adapters.OWNER, None)


class AnySize:
    """Equal to the size of any table, and to none. A catalog of Iceberg knows sizes; dbt's tests expect none."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and set(other) <= {"bytes", "rows", "has_stats"}


@pytest.fixture(scope="class")
def profile_user() -> Any:
    """The owner of relations."""
    return TablesOwner() if adapters.COLUMN == "iceberg" else adapters.OWNER


def stats(expected: dict[str, Any]) -> Any:
    """The statistics that the tested configuration's catalog has."""
    return AnySize() if adapters.COLUMN == "iceberg" else expected


class TestDocsGenerate(BaseDocsGenerate):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any, profile_user: str) -> dict[str, Any]:
        catalog: dict[str, Any] = expected_catalog.base_expected_catalog(
            project, role=profile_user, table_type="table", model_stats=stats(NO_STATS), **TYPES
        )
        return catalog


class TestDocsGenReferences(BaseDocsGenReferences):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Any, profile_user: str) -> dict[str, Any]:
        catalog: dict[str, Any] = expected_catalog.expected_references_catalog(
            project, role=profile_user, table_type="table", bigint_type="bigint", model_stats=stats(NO_STATS), **TYPES
        )
        return catalog


def catalog_table(project: Any, name: str, kind: str, owner: str) -> CatalogTable:
    """What the catalog says of a relation of the published seed's columns."""
    columns = {"id": "bigint", "first_name": "string", "email": "string", "ip_address": "string"}
    return CatalogTable(
        metadata=TableMetadata(type=kind, schema=project.test_schema, name=name, database=None, owner=owner),
        columns={
            column: ColumnMetadata(type=type_, index=index, name=column)
            for index, (column, type_) in enumerate({**columns, "updated_at": "timestamp"}.items(), start=1)
        },
        stats=stats({}),
    )


class TestGetCatalogForSingleRelation(BaseGetCatalogForSingleRelation):
    @pytest.fixture(scope="class")
    def expected_catalog_my_seed(self, project: Any, profile_user: str) -> CatalogTable:
        return catalog_table(project, "my_seed", "table", profile_user)

    @pytest.fixture(scope="class")
    def expected_catalog_my_view_model(self, project: Any, profile_user: str) -> CatalogTable:
        return catalog_table(project, "my_view_model", "view", profile_user)


class TestColumnsInRelation:
    """The columns of an upstream model, asked while a model compiles."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        return {
            "child.sql": "select 1",
            "parent.sql": "select {% for column in adapter.get_columns_in_relation(ref('child')) %}"
            "{{ adapter.quote(column.column) }}{{ ',' if not loop.last }}{% endfor %} from {{ ref('child') }}",
        }

    def test_get_columns_in_relation(self, project: Any) -> None:
        run_dbt(["run"])
        check_relations_equal(project.adapter, ["child", "parent"])
