"""Arrow results as the values that dbt gets over Thrift. The expected values were read from Spark's Thrift server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dbt.adapters.penstock import arrow_rows

NOON = datetime(2024, 7, 1, 12, 0, 0, 120000)


def one(values: list[Any], data_type: Any) -> Any:
    """Return the first value of a column after the conversion."""
    batch = pa.record_batch([pa.array(values, data_type)], ["x"])
    return arrow_rows.rows([batch])[0][0]


@pytest.mark.parametrize(
    ("value", "data_type", "expected"),
    [
        (True, pa.bool_(), True),
        (1, pa.int8(), 1),
        (Decimal("1.50"), pa.decimal128(5, 2), Decimal("1.50")),
        (0.1, pa.float32(), 0.1),
        (b"\x00\xff", pa.binary(), b"\x00\xff"),
        (date(2024, 1, 2), pa.date32(), "2024-01-02"),
        (2932897, pa.date32(), "+10000-01-01"),
        (datetime(2024, 7, 1, 10, tzinfo=UTC), pa.timestamp("us", "Europe/Paris"), datetime(2024, 7, 1, 12)),
        (NOON, pa.timestamp("us"), NOON),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), pa.duration("us"), "1 02:03:04.000000000"),
        (-timedelta(hours=1), pa.duration("us"), "-0 01:00:00.000000000"),
        ((14, 21, 0), pa.month_day_nano_interval(), "1 years 2 months 21 days"),
        ((0, 0, -500_000_000), pa.month_day_nano_interval(), "-0.5 seconds"),
        ((0, 0, 0), pa.month_day_nano_interval(), "0 seconds"),
        ([1, None], pa.list_(pa.int32()), "[1,null]"),
        (["x", 'y"z'], pa.list_(pa.string()), '["x","y"z"]'),
        ([1.0, 1e10, 1e-5, float("nan")], pa.list_(pa.float64()), "[1.0,1.0E10,1.0E-5,NaN]"),
        ([0.1, 1e10], pa.list_(pa.float32()), "[0.1,1.0E10]"),
        ([True, False], pa.list_(pa.bool_()), "[true,false]"),
        ([Decimal("1.50")], pa.list_(pa.decimal128(3, 2)), "[1.50]"),
        ([NOON], pa.list_(pa.timestamp("us")), "[2024-07-01 12:00:00.12]"),
        ([date(2024, 1, 2)], pa.list_(pa.date32()), "[2024-01-02]"),
        ([b"ab"], pa.list_(pa.binary()), "[ab]"),
        ([("b", 1), ("a", 2)], pa.map_(pa.string(), pa.int32()), '{"a":2,"b":1}'),
        ({"x": 1, "y": [{"z": None}]}, None, '{"x":1,"y":[{"z":null}]}'),
        ("", pa.string(), ""),
    ],
)
def test_values_are_those_of_thrift(value: Any, data_type: Any, expected: Any) -> None:
    """Dates, intervals and nested values are text; timestamps are local times."""
    found = one([value], data_type)
    assert (found, type(found)) == (expected, type(expected))


def test_null_is_null_in_each_type() -> None:
    """Also in types whose values are text."""
    types = [pa.date32(), pa.float32(), pa.list_(pa.int32()), pa.timestamp("us", "UTC"), pa.duration("us"), pa.null()]
    for data_type in types:
        assert one([None], data_type) is None


def test_columns_may_have_equal_names() -> None:
    """The order of the columns counts, not the names."""
    batch = pa.record_batch([pa.array([1]), pa.array(["b"])], ["a", "a"])
    assert arrow_rows.rows([batch, batch]) == [(1, "b"), (1, "b")]
    assert [(name, kind) for name, kind, *_ in arrow_rows.description(batch.schema)] == [
        ("a", "BIGINT_TYPE"),
        ("a", "STRING_TYPE"),
    ]


def test_the_result_of_a_command_without_columns_has_one_column_and_no_rows() -> None:
    """As over Thrift."""
    assert arrow_rows.description(pa.schema([]))[0][:2] == ("Result", "STRING_TYPE")
    assert arrow_rows.rows([]) == []


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        (pa.list_(pa.int32()), "ARRAY_TYPE"),
        (pa.map_(pa.string(), pa.int32()), "MAP_TYPE"),
        (pa.struct([("a", pa.int32())]), "STRUCT_TYPE"),
        (pa.decimal128(5, 2), "DECIMAL_TYPE"),
        (pa.timestamp("us"), "TIMESTAMP_TYPE"),
        (pa.month_day_nano_interval(), "STRING_TYPE"),
        (pa.null(), "NULL_TYPE"),
    ],
)
def test_types_have_the_names_of_thrift(data_type: Any, name: str) -> None:
    """dbt's contracts read these names."""
    assert arrow_rows.description(pa.schema([("x", data_type)]))[0][1] == name
