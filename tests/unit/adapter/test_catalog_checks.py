"""Catalogs other than the default catalog: which are missing, which don't answer, and which format they have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import capabilities
from dbt.adapters.penstock.catalog_checks import CatalogChecks
from dbt.adapters.penstock.impl import PenstockAdapter
from dbt.adapters.penstock.relation import PenstockRelation
from dbt.adapters.penstock.relation_lookup import RelationLookup

ICEBERG = "org.apache.iceberg.spark.SparkCatalog"
DELTA = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
OTHER = "io.example.Catalog"


class Server:
    """Answers SET, and the list of schemas, as a server with the catalogs `ice` and `gone`."""

    def __init__(self, managed: bool = True) -> None:
        self.statements: list[str] = []
        credentials = SimpleNamespace(managed=managed)
        self.config = SimpleNamespace(credentials=credentials)
        descriptions = SimpleNamespace(get=lambda query, subject, depends_on, run: run()[0])
        self.connections = SimpleNamespace(descriptions=descriptions)
        self.catalogs = CatalogChecks(self)  # type: ignore[arg-type]
        self.lookup = RelationLookup(self, self.catalogs)  # type: ignore[arg-type]

    def execute(self, sql: str, fetch: bool = False) -> tuple[None, Any]:
        self.statements.append(sql)
        name = sql.rpartition(".")[2]
        found = {"ice": ICEBERG, "gone": ICEBERG}.get(name, "<undefined>")
        return None, SimpleNamespace(rows=[(sql, found)])

    def execute_macro(self, name: str, kwargs: dict[str, Any]) -> list[tuple[str]]:
        self.statements.append(f"{name} {kwargs['database']}")
        if kwargs["database"] == "gone":
            raise DbtRuntimeError("Error occurred\n  while processing")
        return [("shop",)]

    def list_schemas(self, database: str | None) -> list[str]:
        return self.lookup.list_schemas(database)


def test_a_catalog_is_asked_once() -> None:
    server = Server()
    for _ in range(2):
        server.catalogs.check("ice", "source a.b (m.yml)")
    assert server.statements == ["set spark.sql.catalog.ice", "list_schemas ice"]


@pytest.mark.parametrize(
    ("managed", "advice"),
    [(True, "set server.catalogs.nope in penstock.yml"), (False, "set spark.sql.catalog.nope on the server")],
)
def test_a_missing_catalog_is_an_error_of_its_user(managed: bool, advice: str) -> None:
    server = Server(managed)
    assert server.list_schemas("nope") == [] and not server.catalogs.failed("nope")
    with pytest.raises(DbtRuntimeError) as caught:
        server.catalogs.check("nope", "source a.b (m.yml)")
    assert "needed: the catalog nope, for source a.b (m.yml). found: no setting" in caught.value.msg
    assert advice in caught.value.msg


def test_a_catalog_that_does_not_answer_is_an_error_of_its_users_alone() -> None:
    """dbt's first steps go on, and don't ask again. The message is in one line."""
    server = Server()
    assert server.list_schemas("gone") == [] and server.list_schemas("ice") == ["shop"]
    before = len(server.statements)
    for user in ("model x (x.sql)", "model y (y.sql)"):
        with pytest.raises(DbtRuntimeError) as caught:
            server.catalogs.check("gone", user)
        assert f"for {user}. found: Error occurred while processing. do: check" in caught.value.msg
    assert len(server.statements) == before


@pytest.mark.parametrize(
    ("name", "catalog", "class_name", "refusal"),
    [
        ("iceberg", "ice", ICEBERG, ""),
        ("delta", "spark_catalog", DELTA, ""),
        ("parquet", "spark_catalog", DELTA, ""),
        ("delta", "unity", OTHER, ""),
        ("iceberg", "spark_catalog", ICEBERG.replace("SparkCatalog", "SparkSessionCatalog"), ""),
        ("delta", "spark_catalog", ICEBERG.replace("SparkCatalog", "SparkSessionCatalog"), ""),
        ("iceberg", "spark_catalog", DELTA, f"found: spark.sql.catalog.spark_catalog = {DELTA}"),
        (
            "delta",
            "ice",
            ICEBERG,
            "needed: file_format: iceberg, the only one of the catalog ice. found: file_format: d",
        ),
    ],
)
def test_the_formats_of_a_catalog(name: str, catalog: str, class_name: str, refusal: str) -> None:
    wanted = capabilities.table_format(name)
    if not refusal:
        capabilities.check_catalog(wanted, catalog, class_name)
        return
    with pytest.raises(DbtRuntimeError, match=refusal.replace(".", r"\.")):
        capabilities.check_catalog(wanted, catalog, class_name)


def test_an_iceberg_catalog_has_one_format() -> None:
    assert [capabilities.only_format(name) for name in (ICEBERG, DELTA, OTHER, "")] == ["iceberg", None, None, None]


def test_a_table_format_needs_no_server_while_dbt_parses() -> None:
    """dbt then calls the replacement: no session is open, and another default catalog can't be asked."""
    parsing = PenstockAdapter._parse_replacements_
    assert parsing["table_format"]().name == "delta"
    assert parsing["table_format"]("iceberg", database="ice").name == "iceberg"
    relation = PenstockRelation.create(schema="s", identifier="t")
    assert parsing["as_table"](relation, None) is relation
