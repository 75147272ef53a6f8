"""The checks of a write that replaces intervals of an Iceberg table: its rows, and the table's partitions."""

from __future__ import annotations

from datetime import date

import pytest

from penstock.errors import PenstockError
from penstock.iceberg import partitions, row_check
from penstock.intervals.grain import GRAINS, condition

CONDITION = condition("month", [date(2024, 1, 1)], GRAINS["month"])


def test_the_check_names_the_column_and_keeps_the_condition() -> None:
    text = row_check.expression(CONDITION)
    assert text.startswith(f"if({CONDITION}, true, ")
    assert "coalesce(cast(month as string), 'null')" in text and "rand()" in text


def test_a_column_of_several_ranges() -> None:
    """The condition of several ranges begins with more parentheses."""
    text = row_check.expression(condition("cast(at as date)", [date(2024, 1, 1), date(2024, 5, 1)], GRAINS["month"]))
    assert "penstock: a row of another interval, cast(at as date) = '" in text


def test_a_failed_check_has_three_parts() -> None:
    error = Exception(
        "[USER_RAISED_EXCEPTION] penstock: a row of another interval, month = 2024-03-01 (0.7265) SQLSTATE"
    )
    needed, found, do = row_check.error_parts(error, CONDITION) or ("", "", "")
    assert needed == f"rows of the intervals to build, by month: {CONDITION}"
    assert found == "a row with month 2024-03-01"
    assert "the table is unchanged" in do


def test_a_file_of_several_intervals_has_three_parts() -> None:
    error = Exception("ValidationException: Cannot delete file where some, but not all, rows match filter ref(month)")
    parts = row_check.error_parts(error, CONDITION)
    assert parts and "--full-refresh" in parts[2]


def test_other_errors_are_left() -> None:
    assert row_check.error_parts(Exception("[DIVIDE_BY_ZERO]"), CONDITION) is None
    assert row_check.error_parts(Exception("penstock: a row of another interval"), None) is None


@pytest.mark.parametrize(
    ("partition_by", "grain"),
    [
        (["month"], "month"),
        (["zone", "`Month`"], "month"),
        (["months(month)"], "month"),
        (["bucket(4, id)", "days( month )"], "month"),
        (["hours(month)"], "day"),
    ],
)
def test_partitions_within_an_interval(partition_by: list[str], grain: str) -> None:
    partitions.require(partition_by, "month", grain, "totals")


@pytest.mark.parametrize(
    ("partition_by", "grain"),
    [
        ([], "month"),
        (["zone"], "month"),
        (["years(month)"], "month"),
        (["months(month)"], "day"),
        (["days(at)"], "day"),
    ],
)
def test_other_partitions_are_refused(partition_by: list[str], grain: str) -> None:
    with pytest.raises(PenstockError) as caught:
        partitions.require(partition_by, "month", grain, "totals")
    assert "partition_by of totals" in caught.value.needed
    assert caught.value.found == (", ".join(partition_by) or "none")
    assert caught.value.do == f"add {grain}s(month) to partition_by"
