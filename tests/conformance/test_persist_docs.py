"""Descriptions become comments of tables, views and columns."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.persist_docs import fixtures
from dbt.tests.adapter.persist_docs.test_persist_docs import (
    BasePersistDocs,
    BasePersistDocsAllColumnsMissing,
    BasePersistDocsColumnMissing,
    BasePersistDocsCommentOnQuotedColumn,
    BasePersistDocsQuotedColumnCaseSensitive,
    BasePersistDocsQuotedDescriptionNotAppliedOnMismatch,
)
from dbt.tests.util import run_dbt

from tests.conformance import adapters

BOTH = {"relation": True, "columns": True}


class Columns:
    """Delta tables: a comment of a column is changed there alone."""

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", "seeds", models={"+persist_docs": {"columns": True}})


class TestPersistDocs(BasePersistDocs):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", "seeds", models={"+persist_docs": BOTH})


class TestPersistDocsColumnMissing(Columns, BasePersistDocsColumnMissing):
    pass


class TestPersistDocsAllColumnsMissing(Columns, BasePersistDocsAllColumnsMissing):
    pass


class TestPersistDocsQuotedColumnCaseSensitive(Columns, BasePersistDocsQuotedColumnCaseSensitive):
    pass


class TestPersistDocsQuotedDescriptionNotAppliedOnMismatch(
    Columns, BasePersistDocsQuotedDescriptionNotAppliedOnMismatch
):
    pass


class TestPersistDocsCommentOnQuotedColumn(BasePersistDocsCommentOnQuotedColumn):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta("models", models={"materialized": "table", "+persist_docs": BOTH})


MODELS = {
    "docs.md": fixtures._DOCS__MY_FUN_DOCS,
    "table_model.sql": "{{ config(materialized='table') }} select 1 as id, 'Joe' as name",
    "incremental_model.sql": "{{ config(materialized='incremental') }} select 1 as id, 'Joe' as name",
    "view_model.sql": "{{ config(materialized='view') }} "
    "select id, count(*) as count from {{ ref('table_model') }} group by id",
}


def described(kind: str, name: str) -> dict[str, Any]:
    """A node's properties, with every sort of character in its descriptions."""
    odd = "\"double\" and 'single' quotes; '''three'''\nreserved -- characters\n--\n/* comment */\n$lbl$ $$ 80%\n"
    return {
        "name": name,
        "description": f"{kind} description {odd}",
        "columns": [
            {"name": "id", "description": f"id Column description {odd}"},
            {"name": "name", "description": "Some stuff here and then a call to {{ doc('my_fun_doc') }}"},
        ],
    }


class TestPersistDocsDescribed:
    """Spark itself says the comments: of a table, an incremental model, a seed and a view."""

    @pytest.fixture(scope="class")
    def models(self) -> dict[str, Any]:
        view = described("View", "view_model")
        view["columns"].pop()
        tables = [described("Table", "table_model"), described("Incremental", "incremental_model")]
        return {**MODELS, "schema.yml": {"models": [*tables, view]}}

    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, Any]:
        return {"seed.csv": "id,name\n1,Alice\n2,Bob\n", "seed.yml": {"seeds": [described("Seed", "seed")]}}

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return adapters.delta(
            "models",
            "seeds",
            models={"+persist_docs": BOTH},
            seeds={"+persist_docs": BOTH, "+quote_columns": True},
        )

    @pytest.fixture(scope="class", autouse=True)
    def built(self, project: Any) -> None:
        run_dbt(["build"])

    @pytest.mark.parametrize(
        "name,kind",
        [("table_model", "Table"), ("incremental_model", "Incremental"), ("seed", "Seed"), ("view_model", "View")],
    )
    def test_comments(self, project: Any, name: str, kind: str) -> None:
        rows = project.run_sql(f"describe extended {{schema}}.{name}", fetch="all")
        comments = {row[0]: row[2] for row in reversed(rows)}
        words = {row[0]: row[1] for row in rows}
        assert words["Comment"].startswith(f"{kind} description \"double\" and 'single' quotes; '''three'''")
        assert comments["id"].startswith("id Column description")
        if kind == "View":
            # The view of an Iceberg catalog has an empty comment in place of none.
            assert comments["count"] == ("" if adapters.COLUMN == "iceberg" else None)
        else:
            assert comments["name"].startswith("Some stuff here and then a call to")
