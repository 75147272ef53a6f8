"""The intervals that a dbt command and its environment name."""

from __future__ import annotations

from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from dbt.adapters.penstock.interval_models.requested_intervals import (
    INTERVALS_VARIABLE,
    parse_requested_intervals,
    partial_option,
)
from penstock.errors import PenstockError
from penstock.intervals.grain import DAY, GRAINS, MONTH
from penstock.intervals.staleness import RequestedIntervals

MONTHLY, DAILY = GRAINS[MONTH], GRAINS[DAY]
JANUARY, FEBRUARY, MARCH = (date(2024, month, 1) for month in (1, 2, 3))


@pytest.mark.parametrize(
    ("start", "end", "first", "after"),
    [
        (datetime(2024, 1, 1), datetime(2024, 3, 1), JANUARY, MARCH),
        (datetime(2024, 1, 20), datetime(2024, 2, 29, 12), JANUARY, MARCH),
        ("2024-01-20", "2024-02-10", JANUARY, date(2024, 2, 10)),
        (datetime(2024, 1, 1, tzinfo=timezone.utc), None, JANUARY, None),
        (None, None, None, None),
    ],
)
def test_event_times_name_whole_intervals(start: Any, end: Any, first: date | None, after: date | None) -> None:
    """As in dbt's microbatch, an interval that begins before the end is in the range."""
    arguments = SimpleNamespace(EVENT_TIME_START=start, EVENT_TIME_END=end)
    requested = parse_requested_intervals(arguments, MONTHLY, False)
    assert (requested.start, requested.end) == (first, after)
    assert requested.in_range(FEBRUARY) and requested.has_range is (start is not None)


def test_event_times_of_a_model_of_days() -> None:
    arguments = SimpleNamespace(EVENT_TIME_START=datetime(2024, 1, 20, 6), EVENT_TIME_END=datetime(2024, 1, 21, 6))
    requested = parse_requested_intervals(arguments, DAILY, True)
    assert requested == RequestedIntervals(True, date(2024, 1, 20), date(2024, 1, 22))


def test_a_range_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A range of days allows the months that they are in."""
    arguments = SimpleNamespace()
    monkeypatch.setenv(INTERVALS_VARIABLE, " 2024-01..2024-02 ")
    assert parse_requested_intervals(arguments, MONTHLY, False) == RequestedIntervals(within=(JANUARY, MARCH))
    monkeypatch.setenv(INTERVALS_VARIABLE, "2024-01-05..2024-01-07")
    assert parse_requested_intervals(arguments, MONTHLY, False).allows(JANUARY)
    assert not parse_requested_intervals(arguments, DAILY, False).allows(JANUARY)
    monkeypatch.setenv(INTERVALS_VARIABLE, "")
    assert parse_requested_intervals(arguments, MONTHLY, False) == RequestedIntervals()


def test_a_range_that_runs_backwards_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INTERVALS_VARIABLE, "2024-03..2024-01")
    with pytest.raises(PenstockError, match=r"needed: PENSTOCK_INTERVALS as 2024-01 or 2024-01\.\.2024-03"):
        parse_requested_intervals(SimpleNamespace(), MONTHLY, False)


@pytest.mark.parametrize(
    ("arguments", "option"), [({}, ""), ({"EMPTY": True}, "--empty"), ({"SAMPLE": object()}, "--sample")]
)
def test_an_option_that_builds_only_some_rows(arguments: dict[str, Any], option: str) -> None:
    assert partial_option(SimpleNamespace(**arguments)) == option
