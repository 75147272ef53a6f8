"""Data types as text: parsed, compared, rendered as SQL, and made storable."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from penstock.delta import table_features
from penstock.python_runtime import contract
from penstock.sql.data_types import parse

WIDE = f"struct<{','.join(f'f{number}:int' for number in range(60))}>"


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "decimal(10,2)",
        "array<map<string,decimal(4,1)>>",
        "struct<>",
        "struct<a:int,b:struct<c:array<string>,d:varchar(3)>>",
        "map<struct<k:int>,array<struct<v:timestamp_ntz>>>",
        "interval day to second",
        WIDE,
    ],
)
def test_a_type_is_parsed_and_rendered_unchanged(text: str) -> None:
    assert parse(text).sql == text


def test_names_that_are_not_plain_are_quoted() -> None:
    """DESCRIBE doesn't quote them; rendered as SQL, they parse to the same type."""
    kind = parse("struct<a b:int,x-y:array<struct<é:int,1st:string>>>")
    assert kind.sql == "struct<`a b`:int,`x-y`:array<struct<é:int,`1st`:string>>>"
    assert parse(kind.sql) == kind
    assert kind.field_names() == ["a b", "x-y", "é", "1st"]


@pytest.mark.parametrize("text", ["struct<a:int", "array<", "struct<a>", ""])
def test_text_that_is_not_a_type_is_unchanged(text: str) -> None:
    assert parse(text).sql == text


@pytest.mark.parametrize(
    ("declared", "returned", "fits"),
    [
        ("struct<a:int>", "struct<A:int>", True),
        ("struct<a:int>", "struct<b:int>", False),
        ("struct<a:int,b:int>", "struct<a:int>", False),
        ("struct<a:int,b:int>", "struct<b:int,a:int>", False),
        ("array<int>", "array<bigint>", False),
        ("map<string,int>", "map<string,string>", False),
        ("array<int>", "int", False),
        ("decimal(10,2)", "decimal(12,4)", False),
        ("decimal", "decimal(12,4)", True),
        ("array<decimal(10,0)>", "array<decimal(12,4)>", False),
        ("varchar(5)", "varchar(5)", True),
        ("varchar(5)", "varchar(6)", False),
        ("varchar(5)", "char(5)", False),
        ("varchar(5)", "string", False),
        ("string", "varchar(5)", True),
        ("struct<a:varchar(5)>", "struct<a:varchar(6)>", False),
        ("array<string>", "array<void>", True),
        ("timestamp", "timestamp_ntz", False),
    ],
)
def test_a_declared_type_accepts_a_returned_one(declared: str, returned: str, fits: bool) -> None:
    assert parse(declared).accepts(parse(returned)) is fits


def test_a_null_literal_is_stored_as_a_string() -> None:
    """Inside other types too; a declared column gets its declared type."""
    found = {"id": "int", "x": "void", "y": "array<struct<void:int,a:void>>", "Z": "void"}
    assert contract.storable_select(found, {"z": "date"}) == [
        "`id`",
        "cast(`x` as string) as `x`",
        "cast(`y` as array<struct<void:int,a:string>>) as `y`",
        "cast(`Z` as date) as `Z`",
    ]
    assert contract.storable_select({"id": "int", "void": "string", "s": "struct<void:int>"}, {}) == []


def test_types_are_declared_in_any_spelling() -> None:
    """One query describes all types whose spelling isn't canonical."""
    queries: list[str] = []

    def describe(query: str) -> Sequence[str]:
        queries.append(query)
        return ["struct<a:string>", "timestamp"]

    declared = {
        "a": " BigInt ",
        "b": "long",
        "c": "Numeric",
        "d": "STRUCT<a: STRING NOT NULL>",
        "e": None,
        "f": "timestamp",
    }
    assert contract.declared_types(describe, declared) == {
        "a": "bigint",
        "b": "bigint",
        "c": "decimal",
        "d": "struct<a:string>",
        "e": None,
        "f": "timestamp",
    }
    assert queries == ["select cast(null as STRUCT<a: STRING NOT NULL>) as c0, cast(null as timestamp) as c1"]


def test_an_unknown_type_is_named_with_its_column() -> None:
    def describe(query: str) -> Sequence[str]:
        if "txt" in query:
            raise ValueError("PARSE_SYNTAX_ERROR")
        return ["timestamp"]

    with pytest.raises(contract.UnknownType) as caught:
        contract.declared_types(describe, {"a": "timestamp", "b": "txt"})
    assert caught.value.parts("m") == (
        "a Spark type for column b of m",
        "data_type: txt",
        "correct data_type in its yml",
    )


@pytest.mark.parametrize(
    ("columns", "needed"),
    [
        ({"a": "timestamp"}, {}),
        ({"a": "array<struct<t:timestamp_ntz>>"}, {"delta.feature.timestampNtz": "supported"}),
        ({"timestamp_ntz": "int"}, {}),
        ({"a b": "int"}, {"delta.columnMapping.mode": "name"}),
        ({"a": "struct<x;y:int>"}, {"delta.columnMapping.mode": "name"}),
    ],
)
def test_properties_that_columns_require(columns: dict[str, str], needed: dict[str, str]) -> None:
    assert table_features.required_properties(columns) == needed
    assert table_features.required_properties(columns, needed) == {}, "the user's value stays"
