"""Markers in compiled code, and the conditions that replace them."""

from __future__ import annotations

from datetime import date

import pytest

from penstock.intervals import input_filter
from penstock.intervals.grain import DAY, GRAINS, MONTH

MONTHLY, DAILY = GRAINS[MONTH], GRAINS[DAY]
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
DAYS = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1)]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("grain", ["", MONTH])
def test_a_marker_is_found_again(grain: str, before: bool) -> None:
    found = input_filter.MARKER.fullmatch(input_filter.marker("file_month", grain, before))
    assert found and (found["column"], found["grain"] or "") == ("file_month", grain)
    assert (found["which"] == "of") is not before


def test_every_marker_becomes_the_condition_of_the_intervals() -> None:
    sql = "select a from (select * from t where /* intervals of m by month */ true) where /* intervals of n */ true"
    assert input_filter.replace_markers(sql, [JANUARY, FEBRUARY], MONTHLY, "month") == (
        "select a from (select * from t where (m >= date'2024-01-01' and m < date'2024-03-01')) "
        "where (n >= date'2024-01-01' and n < date'2024-03-01')"
    )
    assert "where false" in input_filter.replace_markers(sql, [], MONTHLY, "month")


def test_an_input_of_earlier_intervals_ends_before_the_last_one() -> None:
    marker = "/* intervals before those of file_month */ true"
    sql = f"select a from (select * from t where {marker}) where /* intervals of n */ true"
    assert input_filter.replace_markers(sql, [JANUARY, FEBRUARY], MONTHLY, "month") == (
        "select a from (select * from t where file_month < date'2024-02-01') "
        "where (n >= date'2024-01-01' and n < date'2024-03-01')"
    )
    assert input_filter.replace_markers(f"select a from t where {marker}", [JANUARY], MONTHLY, "month").endswith(
        "as penstock_rows where (month >= date'2024-01-01' and month < date'2024-02-01')"
    )
    assert "where false" in input_filter.replace_markers(sql, [], MONTHLY, "month")


def test_rows_of_other_intervals_are_left_out() -> None:
    """A model of days reads whole months of its input, and a query without a marker reads everything."""
    by_month = input_filter.replace_markers(
        "select * from t where /* intervals of m by month */ true", DAYS, DAILY, "day"
    )
    assert "where (m >= date'2024-01-01' and m < date'2024-03-01')" in by_month
    assert by_month.endswith("as penstock_rows where (day >= date'2024-01-30' and day < date'2024-02-02')")
    whole = input_filter.replace_markers("select * from t", [JANUARY], MONTHLY, "month")
    assert whole.endswith("as penstock_rows where (month >= date'2024-01-01' and month < date'2024-02-01')")
    by_day = input_filter.replace_markers(
        "select * from t where /* intervals of d by day */ true", [FEBRUARY], MONTHLY, "month"
    )
    assert "where (d >= date'2024-02-01' and d < date'2024-03-01')" in by_day and "penstock_rows" in by_day


def test_the_windows_of_a_python_model() -> None:
    """ISO timestamps, each interval of the input once; the end is not included."""
    assert input_filter.windows("month", False, DAYS, DAILY) == [
        ("2024-01-01T00:00:00", "2024-02-01T00:00:00"),
        ("2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ]
    assert input_filter.windows("", False, DAYS[:1], DAILY) == [("2024-01-30T00:00:00", "2024-01-31T00:00:00")]
    assert input_filter.windows("", True, [JANUARY, FEBRUARY], MONTHLY) == [("", "2024-02-01T00:00:00")]
    assert input_filter.windows("", True, [], MONTHLY) == []
