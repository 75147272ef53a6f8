"""The values of unit tests as SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from dbt_common.exceptions import CompilationError

from dbt.adapters.penstock.unit_test_values import value


@pytest.mark.parametrize(
    ("given", "data_type", "sql"),
    [
        (None, "array<int>", "try_cast(null as array<int>)"),
        (1, "int", "try_cast(1 as int)"),
        (True, "boolean", "try_cast(true as boolean)"),
        (Decimal("1.50"), "decimal(4,2)", "try_cast(1.50 as decimal(4,2))"),
        (float("nan"), "double", "try_cast('nan' as double)"),
        (date(2024, 1, 2), "date", "try_cast('2024-01-02' as date)"),
        ("it's C:\\new", "string", "try_cast('it\\'s C:\\\\new' as string)"),
        ("array(1,2)", "array<int>", "try_cast(array(1,2) as array<int>)"),
        ([1], "array<int>", "try_cast(array(try_cast(1 as int)) as array<int>)"),
        ("[1]", "array<int>", "try_cast(array(try_cast(1 as int)) as array<int>)"),
        ([], "array<int>", "try_cast(array() as array<int>)"),
        (
            {"A": 1},
            "struct<a:int,`b c`:string>",
            "try_cast(named_struct('a', try_cast(1 as int), 'b c', try_cast(null as string)) "
            "as struct<a:int,`b c`:string>)",
        ),
        (
            {"x": [1.5]},
            "map<string,array<decimal(4,2)>>",
            "try_cast(map(try_cast('x' as string), try_cast(array(try_cast(1.5 as decimal(4,2))) "
            "as array<decimal(4,2)>)) as map<string,array<decimal(4,2)>>)",
        ),
    ],
)
def test_the_sql_of_a_value(given: Any, data_type: str, sql: str) -> None:
    assert value(given, data_type, "c") == sql


@pytest.mark.parametrize(
    ("given", "data_type", "found", "cure"),
    [
        ([1], "int", "[1]", "write one value"),
        ({"a": 1}, "array<int>", '{"a": 1}', "write a list, as in [1, 2]"),
        ([1], "map<string,int>", "[1]", "write a map, as in {a: 1}"),
        ({"z": 1}, "struct<a:int>", "z, which it doesn't have", "write a map by field"),
        ("[1", "array<int>", "[1 (", "write a list"),
    ],
)
def test_a_value_of_another_structure_is_refused(given: Any, data_type: str, found: str, cure: str) -> None:
    """The error names the column and how to write the value."""
    with pytest.raises(CompilationError) as refused:
        value(given, data_type, "ns")
    message = str(refused.value)
    assert f"needed: a value of type {data_type} for ns" in message
    assert f"found: {found}" in message and f"do: {cure}" in message
