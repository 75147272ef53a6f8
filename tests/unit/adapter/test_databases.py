"""Databases of nodes and sources, and the freshness of sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.relation import EventTimeFilter

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.docs_catalog import catalog_table
from dbt.adapters.penstock.relation import PenstockRelation
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


@pytest.fixture
def default_catalog() -> Iterator[Callable[[str | None], str]]:
    """Set the default catalog, which lasts as long as the process, and reset it after the test."""
    yield databases.set_default
    databases.set_default(None)


@pytest.mark.usefixtures("default_catalog")
@pytest.mark.parametrize("key", ["database", "catalog"])
def test_a_profile_may_name_a_catalog(key: str) -> None:
    """It is in `target` too. Only another default catalog changes the session."""
    for name, kept in (("Spark_Catalog", None), ("s", None), ("ice", "ice")):
        credentials = PenstockCredentials.from_dict(PenstockCredentials.translate_aliases({"schema": "s", key: name}))
        assert credentials.database == kept
        assert dict(credentials.connection_info(with_aliases=True))["database"] == (kept or "spark_catalog")
        assert "database" not in dict(credentials.connection_info())
        assert credentials.server_side_parameters.get("spark.sql.defaultCatalog") == kept


def test_a_relation_of_another_catalog_has_three_parts() -> None:
    relation = PenstockRelation.create_from(QUOTING, source("ice"), event_time_filter=None)
    assert relation.render() == "ice.raw.a" and repr(relation) == "<PenstockRelation ice.raw.a>"
    assert relation.without_identifier().render() == "ice.raw"
    assert relation.include(database=True, schema=False, identifier=False).render() == "ice"
    # Temporary views belong to the session, so they have one part.
    assert relation.include(database=False, schema=False).render() == "a"
    assert relation.incorporate(path={"identifier": "b"}).render() == "ice.raw.b"
    assert hash(relation) == hash(relation.incorporate()) != hash(PenstockRelation.create(schema="raw", identifier="a"))


def test_each_part_is_quoted_if_it_needs_quotes() -> None:
    quoted = PenstockRelation.create("my-ice", "a b", "t`")
    assert quoted.render() == "`my-ice`.`a b`.t`"
    assert PenstockRelation.create("ice", "a.b", "t").render() == "ice.a.b.t"
    assert PenstockRelation.create(schema="delta", identifier="`/data/t`").render() == "delta.`/data/t`"
    policy = {"database": True, "schema": True, "identifier": True}
    assert PenstockRelation.create("ice", "s", "t", quote_policy=policy).render() == "`ice`.`s`.`t`"


def test_the_default_catalog_has_two_parts(default_catalog: Callable[[str | None], str]) -> None:
    default_catalog("ice")
    assert PenstockRelation.create("ICE", "s", "t").render() == "s.t"
    assert PenstockRelation.create("spark_catalog", "s", "t").render() == "spark_catalog.s.t"
    assert databases.schema_name(None, "s") == databases.schema_name("ice", "s") == "s"
    assert databases.schema_name("spark_catalog", "s") == "spark_catalog.s"


def test_the_catalogs_of_a_node_and_of_its_inputs() -> None:
    node = SimpleNamespace(
        **{"database": "ice", "schema": "s", "name": "m", "resource_type": "model", "original_file_path": "m.sql"},
        depends_on=SimpleNamespace(nodes=["here", "far", "gone"]),
    )
    manifest = SimpleNamespace(nodes={"here": source(None)}, sources={"far": source("lake")})
    found = [(name, databases.describe_node(item)) for name, item in databases.catalogs_of_node(node, manifest)]
    assert found == [("ice", "model m (m.sql)"), ("lake", "source far.a (m.yml)")]


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
