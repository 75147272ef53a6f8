"""The types and comments of columns."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.adapters.spark.relation import SparkRelation
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import PenstockAdapter
from dbt.adapters.penstock.columns import PenstockColumn, catalog_rows, query_shape

SORTS = ("string", "integer", "float", "numeric")


@pytest.mark.parametrize(
    "dtype,sort",
    [
        ("string", "string"),
        ("varchar(20)", "string"),
        ("char(3)", "string"),
        ("tinyint", "integer"),
        ("int", "integer"),
        ("bigint", "integer"),
        ("float", "float"),
        ("double", "float"),
        ("decimal(10,2)", "numeric"),
        ("timestamp", None),
        ("array<string>", None),
        ("struct<a:int>", None),
    ],
)
def test_the_kind_of_a_type(dtype: str, sort: str | None) -> None:
    column = PenstockColumn("c", dtype)
    assert [name for name in SORTS if getattr(column, f"is_{name}")()] == ([sort] if sort else [])
    assert column.is_number() == (sort in ("integer", "float", "numeric"))
    assert not column.can_expand_to(PenstockColumn("d", "string"))


def test_types_of_dbt_packages_are_sparks() -> None:
    assert PenstockColumn.string_type(40) == "string"
    assert PenstockColumn.numeric_type("numeric", 10, 2) == "decimal(10,2)"
    assert PenstockColumn.numeric_type("number", 12, None) == "decimal(12,0)"
    assert PenstockColumn.numeric_type("numeric", None, None) == "decimal"
    assert [PenstockColumn.numeric_type(name, None, None) for name in ("int", "double")] == ["int", "double"]
    assert PenstockColumn("c", "struct<a b:decimal(4,1)>").literal("null") == "cast(null as struct<`a b`:decimal(4,1)>)"
    described = PenstockColumn.from_description("c", "struct<a:decimal(10,2)>")
    assert (described.data_type, described.is_numeric()) == ("struct<a:decimal(10,2)>", False)
    assert PenstockColumn("c", "string collate UTF8_LCASE").is_string()


def test_the_length_of_a_string() -> None:
    assert [PenstockColumn("c", dtype).string_size() for dtype in ("varchar(20)", "char(3)", "string")] == [20, 3, 256]
    with pytest.raises(DbtRuntimeError, match="non-string"):
        PenstockColumn("c", "decimal(10)").string_size()


class Row(dict[str, Any]):
    """A row of an agate table, as dbt-spark reads it."""

    _keys = ("col_name", "data_type", "comment")

    @property
    def _values(self) -> tuple[Any, ...]:
        return tuple(self[key] for key in self._keys)


def test_comments_come_from_describe() -> None:
    described = [
        ("id", "bigint", "the key"),
        ("Comment", "string", None),
        ("# Partition Information", "", ""),
        ("", "", ""),
        ("# Detailed Table Information", "", ""),
        ("Owner", "somebody", ""),
        ("Comment", "the table", ""),
    ]
    rows = [Row(zip(Row._keys, values, strict=True)) for values in described]
    adapter = PenstockAdapter.__new__(PenstockAdapter)
    relation = SparkRelation.create(schema="s", identifier="t")
    first, second = adapter.parse_describe_extended(relation, rows)
    assert (first.column, first.dtype, first.column_comment) == ("id", "bigint", "the key")
    assert (second.column, second.column_comment) == ("Comment", None)
    assert first.table_comment == second.table_comment == "the table"
    assert first.table_owner == "somebody"


def test_a_catalog_without_owners_has_no_owner() -> None:
    """dbt-spark would write the text `None`, as a REST catalog of Iceberg stores no owner."""
    described = [("id", "bigint", None), ("", "", ""), ("# Detailed Table Information", "", "")]
    rows = [Row(zip(Row._keys, values, strict=True)) for values in described]
    adapter = PenstockAdapter.__new__(PenstockAdapter)
    (column,) = adapter.parse_describe_extended(SparkRelation.create(schema="s", identifier="t"), rows)
    assert column.table_owner is None


FIXTURE = """with __dbt__cte__trips as (

-- Fixture for trips


{rows}
), model as (select * from __dbt__cte__trips where note = 'a')
select * from model"""
ROW = "select try_cast({id} as bigint) as `id`, try_cast({note} as string) as `note`"


def fixture(*rows: tuple[str, str], row: str = ROW) -> str:
    """A unit test's query, as dbt compiles it."""
    return FIXTURE.format(rows="\nunion all\n\n".join(row.format(id=key, note=note) for key, note in rows))


def test_unit_tests_that_differ_in_values_and_rows_have_one_shape() -> None:
    one = query_shape(fixture(("1", "null")))
    assert query_shape(fixture(("2", "'it\\'s, as '"), ("-3.5", "'two\nlines'"), ("null", "''"))) == one


@pytest.mark.parametrize(
    "other",
    [
        fixture(("1", "null"), row=ROW.replace("bigint", "int")),
        fixture(("1", "null"), row=ROW.replace("`note`", "`remark`")),
        fixture(("1", "null")).replace("note = 'a'", "note = 'b'"),
        fixture(("1", "null")).replace("select * from model", "select id from model"),
    ],
)
def test_a_query_with_other_types_names_or_code_has_another_shape(other: str) -> None:
    assert query_shape(other) != query_shape(fixture(("1", "null")))


def test_a_row_of_the_docs_catalog_has_a_database() -> None:
    """None in the default catalog: dbt refuses rows without the column."""
    for database in (None, "ice"):
        names = {"table_schema": "s", "table_name": "t", "column": "a", "dtype": "int"}
        (row,) = catalog_rows([PenstockColumn(table_database=database, column_index=0, **names)])
        assert row["table_database"] == database and row["column_index"] == 1
