"""Casting source columns: each conversion, each refusal, and exact rounding of money."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.lake.arrow_types import ARROW
from penstock.lake.casting import TargetColumn, cast, check_type

D = Decimal


def landed(values: Any, kind: Any, text: bool = False) -> Any:
    array, _ = cast(values, TargetColumn("f", "c", kind), 1, text=text)
    assert array.type == ARROW[kind]
    array.validate(full=True)
    return array.to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (pa.array([1, None], pa.int64()), "int", [1, None]),
        (pa.array([1, None], pa.int32()), "bigint", [1, None]),
        (pa.array([1.0, None]), "int", [1, None]),
        (pa.array([D("3.00"), None]), "int", [3, None]),
        (pa.nulls(2), "money", [None, None]),
        (pa.nulls(1), "timestamp", [None]),
        (pa.array(["a", None], pa.large_string()), "string", ["a", None]),
        (pa.array(["a", "a"]).dictionary_encode(), "string", ["a", "a"]),
        (pa.array([1, 2], pa.float32()), "double", [1.0, 2.0]),
        (pa.array([datetime(2021, 1, 1, 0, 15)], pa.timestamp("ns")), "timestamp", [datetime(2021, 1, 1, 0, 15)]),
        (pa.array([datetime(2021, 1, 1, 0, 15)], pa.timestamp("s")), "timestamp", [datetime(2021, 1, 1, 0, 15)]),
        (pa.array([date(2021, 1, 1)], pa.date64()), "date", [date(2021, 1, 1)]),
        (pa.array([5, None], pa.int64()), "money", [D("5.00"), None]),
        (pa.array([D("1.005")]), "money", [D("1.01")]),
        (pa.array([1.005], pa.float32()), "money", [D("1.01")]),
        (pa.array([True, None]), "boolean", [True, None]),
    ],
)
def test_parquet_values(values: Any, kind: str, expected: list[Any]) -> None:
    assert landed(values, kind) == expected


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (["1", "2.0", "3.", "", " 4 ", None], "int", [1, 2, 3, None, 4, None]),
        (["9007199254740993"], "bigint", [9007199254740993]),
        (["1.5", ""], "double", [1.5, None]),
        (["7.5", "-0.005", "", "1.005"], "money", [D("7.50"), D("-0.01"), None, D("1.01")]),
        (["a", "", " "], "string", ["a", None, " "]),
        (["true", "False", "1", "0", ""], "boolean", [True, False, True, False, None]),
        (["2021-01-31", ""], "date", [date(2021, 1, 31), None]),
        (
            ["2021-01-01 00:15:56", "2020-04-24 08:19:06.123456", "2021-01-01T00:28:09.000Z", ""],
            "timestamp",
            [
                datetime(2021, 1, 1, 0, 15, 56),
                datetime(2020, 4, 24, 8, 19, 6, 123456),
                datetime(2021, 1, 1, 0, 28, 9),
                None,
            ],
        ),
    ],
)
def test_csv_text(texts: list[Any], kind: str, expected: list[Any]) -> None:
    assert landed(pa.array(texts, pa.string()), kind, text=True) == expected


@pytest.mark.parametrize(
    ("values", "kind", "text", "shown"),
    [
        (pa.array([1.0, 2.5, 3.5]), "int", False, "2.5"),
        (pa.array([1, 2**31]), "int", False, "2147483648"),
        (pa.array([1.0, float("nan")]), "int", False, "nan"),
        (pa.array([1.0, float("inf")]), "money", False, "inf"),
        (pa.array([1.0, float("nan")]), "money", False, "nan"),
        (pa.array([1.0, 1e10]), "money", False, "10000000000.0"),
        (pa.array([1.0, 9999999999.995]), "money", False, "9999999999.995"),
        (pa.array([0, 1001], pa.timestamp("ns")), "timestamp", False, "1970-01-01 00:00:00.000001"),
        (pa.array(["1", "x"]), "int", True, "x"),
        (pa.array(["1", "$5"]), "money", True, "$5"),
        (pa.array(["", "2021-02-30"]), "date", True, "2021-02-30"),
        (pa.array(["", "01/31/2021 10:00"]), "timestamp", True, "01/31/2021 10:00"),
        (pa.array(["", "2021-01-01T00:00:00+02:00"]), "timestamp", True, "2021-01-01T00:00:00+02:00"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: Any, kind: Any, text: bool, shown: str) -> None:
    with pytest.raises(PenstockError) as caught:
        cast(values, TargetColumn("f.csv", "fare", kind), 41, text=text)
    assert "`fare` of f.csv" in caught.value.needed
    assert caught.value.found.startswith(f"`{shown}")
    assert caught.value.found.endswith("in row 42")


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (pa.string(), "money"),
        (pa.int64(), "string"),
        (pa.int64(), "timestamp"),
        (pa.timestamp("us", "UTC"), "timestamp"),
        (pa.timestamp("us"), "date"),
        (pa.bool_(), "int"),
        (pa.list_(pa.int64()), "int"),
        (pa.dictionary(pa.int8(), pa.string()), "double"),
    ],
)
def test_a_wrong_type_is_named(found: pa.DataType, kind: Any) -> None:
    with pytest.raises(PenstockError) as caught:
        check_type(found, TargetColumn("f", "c", kind))
    assert "`c`" in caught.value.needed and f"({kind})" in caught.value.needed
    assert str(found) in caught.value.found


def exact(value: float) -> Decimal:
    return D(repr(value)).quantize(D("0.01"), ROUND_HALF_UP)


TIES = st.builds(lambda n: n / 1000, st.integers(-(10**10), 10**10))
AMOUNTS = st.floats(-9.99e9, 9.99e9, allow_nan=False)


@given(st.lists(st.one_of(TIES, AMOUNTS, st.none()), min_size=1, max_size=50))
def test_money_is_rounded_by_its_decimal_text(values: list[float | None]) -> None:
    array, rounded = cast(pa.array(values, pa.float64()), TargetColumn("f", "c", "money"), 1, text=False)
    expected = [None if value is None else exact(value) for value in values]
    assert array.to_pylist() == expected
    changed = sum(
        value is not None and float(money or 0) != value for value, money in zip(values, expected, strict=True)
    )
    assert rounded == changed


def test_rounding_is_counted() -> None:
    array, rounded = cast(pa.array([1.005, 2.675, 7.5, -0.0, None]), TargetColumn("f", "c", "money"), 1, text=False)
    assert array.to_pylist() == [D("1.01"), D("2.68"), D("7.50"), D("0.00"), None]
    assert rounded == 2


def test_money_of_a_sliced_array() -> None:
    values = pa.array(np.arange(100) / 4.0).slice(10, 20)
    assert landed(values, "money") == [D(n) / 4 for n in range(10, 30)]
