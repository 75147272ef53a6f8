"""Parsing the months of a command line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.lake.month_ranges import parse_months

MONTHS = st.builds(date, st.integers(1990, 2060), st.integers(1, 12), st.just(1))


def test_each_form() -> None:
    assert parse_months(["2021-01"]) == (date(2021, 1, 1),)
    assert parse_months(["2021-03,2021-01", "2021-01"]) == (date(2021, 1, 1), date(2021, 3, 1))
    assert parse_months(["2021-11..2022-02"]) == (
        date(2021, 11, 1),
        date(2021, 12, 1),
        date(2022, 1, 1),
        date(2022, 2, 1),
    )
    assert parse_months(["all"]) is None


@given(MONTHS, MONTHS)
def test_a_range_has_each_month_once(first: date, last: date) -> None:
    arguments = [f"{min(first, last):%Y-%m}..{max(first, last):%Y-%m}"]
    months = parse_months(arguments)
    assert months is not None
    assert len(months) == abs((last.year - first.year) * 12 + last.month - first.month) + 1
    assert (months[0], months[-1]) == (min(first, last), max(first, last))


@pytest.mark.parametrize(
    "argument", ["2021-13", "2021-00", "21-1", "2021-1", "2021", "0000-01", "2021-02..2021-01", "x", "2021-01.."]
)
def test_invalid_months(argument: str) -> None:
    with pytest.raises(PenstockError):
        parse_months([argument])


@pytest.mark.parametrize("arguments", [[], [","], ["all", "2021-01"]])
def test_invalid_lists(arguments: list[str]) -> None:
    with pytest.raises(PenstockError):
        parse_months(arguments)
