"""Types of columns that are hard to store, to add or to declare: in every materialization, SQL and Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapter import column_types_project
from tests.support.projects import Project

NULLS = [("id", "int"), ("x", "string"), ("xs", "array<string>"), ("st", "struct<a:string,b:int>")]
NULLS = [*NULLS, ("m", "map<string,string>")]


@pytest.fixture(scope="module")
def project(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = column_types_project.make(tmp_path_factory.mktemp("types"), host)
    for step in (1, 2):
        done = made.dbt("build", "--exclude", "tag:wrong", "--vars", f"step: {step}")
        assert done.returncode == 0, done.stdout
    yield made


def types(project: Project, name: str) -> list[tuple[str, str]]:
    """Names and types of a table's or view's columns."""
    rows = project.sql(f"describe small.{name}")
    end = next((number for number, row in enumerate(rows) if not row[0] or row[0].startswith("#")), len(rows))
    return [(row[0], row[1]) for row in rows[:end]]


@pytest.mark.parametrize("name", ["v_table", "v_view", "v_files", "v_of_view"])
def test_a_column_of_nulls_is_a_string(project: Project, name: str) -> None:
    assert types(project, name) == NULLS
    assert project.sql(f"select * from small.{name}") == [(1, None, "[]", '{"a":null,"b":1}', "{}")]


def test_nulls_in_new_rows_take_the_tables_types(project: Project) -> None:
    """Of a column that the table has; one that is added is a string."""
    assert types(project, "v_added") == [
        *(("id", "int"), ("x", "string"), ("y", "string"), ("ys", "array<string>")),
    ]
    assert len(project.sql("select * from small.v_added")) == 2
    assert types(project, "v_kept") == [("id", "int"), ("n", "int"), ("ns", "array<int>")]
    assert project.sql("select * from small.v_kept order by id") == [(1, 5, "[1]"), (2, None, "[]")]
    assert project.sql("select * from small.v_same order by id") == [(1, 5), (2, None)]


def test_nulls_in_snapshots_seeds_and_python_models(project: Project) -> None:
    kept = dict(types(project, "v_kept_rows"))
    assert (kept["x"], kept["y"], kept["at"]) == ("string", "string", "timestamp_ntz")
    versions = project.sql("select x, dbt_valid_to is null from small.v_kept_rows order by 2")
    assert versions == [(None, False), ("a", True)]
    assert types(project, "v_seed") == [("id", "bigint"), ("x", "string")]
    assert types(project, "p_nulls") == [
        *(("id", "bigint"), ("x", "string"), ("xs", "array<string>"), ("later", "string"), ("at", "timestamp_ntz")),
    ]
    assert len(project.sql("select * from small.p_nulls")) == 2


def test_what_delta_wants_enabled_first_is(project: Project) -> None:
    """For columns that are added, and for a table that is replaced."""
    assert types(project, "t_added") == [("id", "int"), ("at", "timestamp_ntz"), ("odd name", "int")]
    assert types(project, "t_full") == [("id", "int"), ("at", "array<timestamp_ntz>"), ("st", "struct<odd name:int>")]
    assert len(project.sql("select * from small.t_added")) == 2


def test_no_type_is_cut(project: Project) -> None:
    """In ALTER TABLE, in a view and in the catalog."""
    whole = "struct<" + ",".join(f"f{number}:int" for number in range(60)) + ">"
    assert project.dbt("docs", "generate", "--vars", "step: 2").returncode == 0
    catalog: dict[str, Any] = json.loads((project.root / "target/catalog.json").read_text())
    nodes = catalog["nodes"]
    assert nodes["model.small.w_added"]["columns"]["s"]["type"] == whole
    assert nodes["model.small.w_view"]["columns"]["s"]["type"] == whole
    assert "more fields" not in json.dumps(catalog)


@pytest.mark.parametrize("name", ["c_table", "c_view", "c_files", "c_more"])
def test_a_contract_in_any_spelling(project: Project, name: str) -> None:
    """Also of a column of nulls, which takes the declared type."""
    found = types(project, name)
    assert {column.lower() for column, _ in found} == {"id", "n", "d", "note", "day", "s", "v", "at"}
    assert dict(found)["day"] == "date"
    assert len(project.sql(f"select * from small.{name}")) == (2 if name == "c_more" else 1)


def test_a_contract_that_is_not_kept(project: Project) -> None:
    """Refused before the write, with both types of each column; a text that is too long, as it is written."""
    done = project.dbt("run", "--select", "tag:wrong")
    assert done.returncode == 1
    words = (
        "s is struct<c:string>, declared struct<a:string,b:int>; amount is decimal(12,4), declared decimal(10,2); "
        "v is varchar(9), declared varchar(5)"
    )
    assert done.stdout.count(words) == 3, done.stdout
    assert done.stdout.count("data type mismatch") == 9
    assert "a Spark type for column id of x_unknown. found: data_type: integr." in done.stdout
    assert "v_length" in done.stdout
    assert "ID is int, declared bigint; amount is decimal(12,4), declared decimal(12,3)." in done.stdout
    assert "each column name once in the result of p_twice. found: id, ID" in done.stdout
    there = {row[1] for row in project.sql("show tables in small")}
    assert not {"x_table", "x_view", "x_more", "x_long", "x_unknown", "p_declared", "p_twice"} & there


@pytest.mark.parametrize("name", ["p_empty", "p_empty_submit"])
def test_a_frame_without_rows_keeps_its_types(project: Project, name: str) -> None:
    assert types(project, name) == [
        *(("id", "bigint"), ("name", "string"), ("at", "timestamp"), ("kind", "string"), ("n", "bigint")),
    ]
    assert project.sql(f"select * from small.{name}") == []


def test_types_that_packages_ask_for(project: Project) -> None:
    assert types(project, "helpers") == [
        *(("s", "string"), ("n", "decimal(10,2)"), ("t", "decimal(28,6)"), ("l", "struct<a:int>")),
    ]


def test_a_table_that_cannot_be_read_gets_no_rows(project: Project) -> None:
    """One of an older version, say: its columns and the cure are named."""
    for name in ("v_added", "p_nulls"):
        project.sql(f"create or replace table small.{name} using delta as select cast(1 as bigint) as id, null as x")
    done = project.dbt("run", "--select", "v_added", "p_nulls")
    assert done.returncode == 1
    assert done.stdout.count("that can be read. found: x is void, the type of a NULL literal. do: rebuild") == 2
