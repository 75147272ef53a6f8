"""Databases of nodes and sources, and the freshness of sources."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.relation import EventTimeFilter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.relation import PenstockRelation
from dbt.adapters.penstock.relation_lookup import catalog_table
from dbt.adapters.penstock.source_freshness import NotATimeError, loaded_at

QUOTING: Any = SimpleNamespace(quoting={"database": False, "schema": False, "identifier": False})


def source(database: str | None) -> Any:
    names = {"schema": "raw", "identifier": "a", "name": "a", "source_name": "far", "resource_type": "source"}
    return SimpleNamespace(
        **names, database=database, original_file_path="m.yml", catalog_name=None, quoting_dict={}, config=None
    )


@pytest.mark.parametrize("database", [None, "", "spark_catalog", "SPARK_Catalog", "raw"])
def test_the_name_of_the_default_catalog_means_no_database(database: str | None) -> None:
    relation = PenstockRelation.create_from(QUOTING, source(database), event_time_filter=None)
    assert relation.database is None and relation.render() == "raw.a"
    assert relation == PenstockRelation.create(schema="raw", identifier="a")


def test_a_profile_may_name_the_default_catalog() -> None:
    """It is in `target` too; `dbt debug` shows no database."""
    credentials = PenstockCredentials(schema="s", database="Spark_Catalog")  # type: ignore[call-arg]
    assert credentials.database is None
    assert dict(credentials.connection_info(with_aliases=True))["database"] == "spark_catalog"
    assert "database" not in dict(credentials.connection_info())
    with pytest.raises(DbtRuntimeError):
        PenstockCredentials(schema="s", database="elsewhere")  # type: ignore[call-arg]


def test_another_catalog_is_refused_once_it_is_read() -> None:
    """dbt renders the name of every source while it parses and for its docs."""
    named = PenstockRelation.create_from(QUOTING, source("elsewhere"))
    assert named.render() == "raw.a" and len({named, named.incorporate()}) == 1
    read = PenstockRelation.create_from(QUOTING, source("elsewhere"), event_time_filter=None)
    assert "raw.a" in repr(read)
    with pytest.raises(DbtRuntimeError, match=r"source far\.a \(m\.yml\).*database: elsewhere"):
        str(read)
    with pytest.raises(DbtRuntimeError, match=r"source far\.a"):
        databases.check_read(named)
    with pytest.raises(DbtRuntimeError, match=r"raw\.b.*database: x"):
        PenstockRelation.create(database="x", schema="raw", identifier="b").render()


@pytest.mark.parametrize(
    ("name", "sql"), [("day", "day"), ("file-day", "`file-day`"), ("a.b", "a.b"), ("`x y`", "`x y`")]
)
def test_an_event_time_that_needs_quotes_has_them(name: str, sql: str) -> None:
    window = EventTimeFilter(field_name=name, start=datetime(2024, 1, 1))
    relation = PenstockRelation.create_from(QUOTING, source(None), event_time_filter=window)
    assert f"where {sql} >= '2024-01-01" in str(relation)


def test_a_date_counts_from_its_midnight() -> None:
    assert loaded_at("2024-01-02") == loaded_at(date(2024, 1, 2)) == datetime(2024, 1, 2)
    assert loaded_at(datetime(2024, 1, 2, 3)) == datetime(2024, 1, 2, 3)
    assert loaded_at(None) is None
    for other in (5, "yesterday", True):
        with pytest.raises(NotATimeError):
            loaded_at(other)


def test_text_in_the_catalog_stays_text() -> None:
    rows: list[dict[str, Any]] = [
        {
            "table_comment": "007",
            "column_name": "1e5",
            "column_comment": "null",
            "column_index": 1,
            "stats:a:include": True,
        },
        {"table_comment": "", "column_name": "true", "column_comment": None, "column_index": 2, "stats:rows:value": 3},
    ]
    table = catalog_table(rows)
    assert [dict(row) for row in table.rows] == [
        {**rows[0], "stats:rows:value": None},
        {**rows[1], "stats:a:include": None},
    ]
