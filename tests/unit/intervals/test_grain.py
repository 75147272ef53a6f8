"""Intervals: the interval of a day, the text of intervals, and their conditions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.intervals.grain import (
    DAY,
    GRAINS,
    MONTH,
    Grain,
    condition,
    format_intervals,
    parse_day,
    parse_days,
    ranges_of,
)

FIRST, LAST = date(2019, 1, 1), date(2025, 12, 31)
days = st.dates(FIRST, LAST)
grains = st.sampled_from(list(GRAINS.values()))


def rows_of(sql: str) -> list[Any]:
    """Return the rows of a query."""
    with duckdb.connect() as database:
        return database.execute(sql).fetchall()


@given(grains, days)
def test_each_day_is_in_one_interval(grain: Grain, day: date) -> None:
    start = grain.start(day)
    assert start <= day < grain.following(start)
    assert grain.start(start) == start
    assert grain.start(grain.following(start)) == grain.following(start)


@given(days, grains, grains)
def test_overlapping_intervals_of_another_grain(day: date, grain: Grain, other: Grain) -> None:
    """They cover the interval, and each of them shares a day with it."""
    start = other.start(day)
    found = list(grain.overlapping(start, other))
    inside = {start + timedelta(days=n) for n in range((other.following(start) - start).days)}
    assert {grain.start(item) for item in inside} == set(found)
    assert found == sorted(set(found))


@given(grains, st.sets(days, max_size=12))
def test_ranges_contain_the_same_intervals(grain: Grain, chosen: set[date]) -> None:
    intervals = {grain.start(day) for day in chosen}
    found = ranges_of(intervals, grain)
    listed = []
    for first, last in found:
        inside = first
        while inside <= last:
            listed.append(inside)
            inside = grain.following(inside)
    assert listed == sorted(intervals)
    assert all(grain.following(last) < later for (_, last), (later, _) in pairwise(found))


@given(grains, st.sets(days, max_size=6), st.lists(days, min_size=1, max_size=12))
def test_a_condition_holds_for_the_rows_of_its_intervals(grain: Grain, chosen: set[date], others: list[date]) -> None:
    """For a date and for a timestamp, up to the last instant of the day."""
    intervals = {grain.start(day) for day in chosen}
    asked = [*others, *intervals, *(grain.following(item) for item in intervals)]
    for moment in (time(), time(23, 59, 59, 999999)):
        rows = [datetime.combine(day, moment) for day in asked]
        values = ", ".join(f"(timestamp '{row}')" for row in rows)
        sql = f"select moment, {condition('moment', intervals, grain)} from (values {values}) as t(moment)"
        assert all(holds == (grain.start(at.date()) in intervals) for at, holds in rows_of(sql))
    values = ", ".join(f"(date '{day}')" for day in asked)
    sql = f"select moment, {condition('moment', intervals, grain)} from (values {values}) as t(moment)"
    assert all(holds == (grain.start(at) in intervals) for at, holds in rows_of(sql))


def test_a_condition_combines_with_others() -> None:
    """It is in parentheses, so that `not` and `and` apply to all of it."""
    two = condition("m", [date(2024, 1, 1), date(2024, 3, 1)], GRAINS[MONTH])
    assert two == (
        "((m >= date'2024-01-01' and m < date'2024-02-01') or (m >= date'2024-03-01' and m < date'2024-04-01'))"
    )
    assert condition("m", [], GRAINS[MONTH]) == "false"


def test_the_text_of_intervals() -> None:
    month, day = GRAINS[MONTH], GRAINS[DAY]
    assert (
        format_intervals([date(2024, 3, 1), date(2024, 1, 1), date(2023, 12, 1)], month) == "2023-12..2024-01, 2024-03"
    )
    assert format_intervals([date(2024, 2, 29), date(2024, 3, 1)], day) == "2024-02-29..2024-03-01"
    assert format_intervals([], month) == "none"


@given(grains, days, st.integers(0, 40))
def test_the_text_of_a_range_is_parsed_again(grain: Grain, day: date, more: int) -> None:
    start = grain.start(day)
    intervals = [start]
    for _ in range(more):
        intervals.append(grain.following(intervals[-1]))
    assert parse_days(format_intervals(intervals, grain)) == (start, grain.following(intervals[-1]))


@pytest.mark.parametrize("text", ["2024", "2024-13", "2024-02-30", "2024-2", "24-01", "2024-01-00", "", "month"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(PenstockError, match=r"needed: a month as 2024-01, or a day as 2024-01-31. found: `"):
        parse_day(text)


def test_a_range_that_runs_backwards_is_refused() -> None:
    assert parse_days(" 2024-01 .. 2024-01 ") == (date(2024, 1, 1), date(2024, 2, 1))
    assert parse_days("2024-01-30..2024-02") == (date(2024, 1, 30), date(2024, 3, 1))
    with pytest.raises(PenstockError, match=r"do: write 2024-01\.\.2024-03"):
        parse_days("2024-03..2024-01")
    for text in ("2024-03..", "..2024-03", "2024-03..2024-04..2024-05", "2024-03-2024-05"):
        with pytest.raises(PenstockError, match="needed: a month as 2024-01"):
            parse_days(text)
