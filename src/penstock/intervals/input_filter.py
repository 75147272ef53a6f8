"""Conditions that limit a model's inputs to the intervals that a commit builds.

dbt compiles a model before its materialization runs, but only the materialization knows the intervals. So the adapter
compiles an input with an `event_time` to a subquery with a placeholder condition: a comment followed by `true`. Each
commit replaces the placeholders with the conditions of its intervals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time

from penstock.intervals.grain import GRAINS, Grain, condition

MARKER = re.compile(r"/\* intervals (?P<which>of|before those of) (?P<column>\S+)(?: by (?P<grain>\w+))? \*/ true")


def marker(column: str, grain: str, before: bool) -> str:
    """Return the placeholder condition for compiled code.

    Args:
        column: the input's `event_time` column.
        grain: the input's grain; empty if it is the model's grain.
        before: whether the model reads all input intervals before the last interval to build.
    """
    which = "before those of" if before else "of"
    return f"/* intervals {which} {column}{f' by {grain}' if grain else ''} */ true"


def replace_markers(sql: str, intervals: Iterable[date], grain: Grain, column: str) -> str:
    """Return compiled code with every placeholder replaced by the condition of some intervals.

    If a query has no placeholder, or has an input of another grain, it can return rows of other intervals. So the
    result wraps such a query in a filter on the model's own column.

    Args:
        sql: the compiled model.
        intervals: the intervals to build.
        grain: the model's grain.
        column: the model's column that determines the interval of a row.
    """
    wanted = tuple(intervals)
    exact, markers = True, 0

    def replacement(found: re.Match[str]) -> str:
        nonlocal exact, markers
        own = GRAINS.get(found["grain"] or "", grain)
        if found["which"] != "of":
            return f"{found['column']} < date'{max(wanted).isoformat()}'" if wanted else "false"
        exact, markers = exact and own == grain, markers + 1
        return condition(found["column"], {start for item in wanted for start in own.overlapping(item, grain)}, own)

    text = MARKER.sub(replacement, sql)
    if markers and exact:
        return text
    return f"select * from (\n{text}\n) as penstock_rows where {condition(column, wanted, grain)}"


def windows(input_grain: str, before: bool, intervals: Iterable[date], grain: Grain) -> list[tuple[str, str]]:
    """Return the time windows of an input that a Python model reads, as ISO (start, end) with an exclusive end.

    Args:
        input_grain: the input's grain; empty if it is the model's grain.
        before: whether the model reads all input intervals before the last interval to build. If so, the result is one
            window with an empty start.
        intervals: the intervals to build.
        grain: the model's grain.
    """
    own = GRAINS.get(input_grain, grain)
    if before:
        return [("", datetime.combine(last, time()).isoformat()) for last in [max(intervals, default=None)] if last]
    starts = sorted({start for interval in intervals for start in own.overlapping(interval, grain)})
    return [
        (datetime.combine(start, time()).isoformat(), datetime.combine(own.following(start), time()).isoformat())
        for start in starts
    ]
