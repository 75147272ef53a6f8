"""Conditions that limit a model's inputs to the intervals that a commit builds.

dbt compiles a model before its materialization runs, and only then are the intervals known. So the adapter compiles
an input with an `event_time` to a subquery whose condition is a marker, a comment before `true`. Each commit replaces
the markers with its own conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time

from penstock.intervals.grain import GRAINS, Grain, condition

MARKER = re.compile(r"/\* intervals (?P<which>of|before those of) (?P<column>\S+)(?: by (?P<grain>\w+))? \*/ true")


def marker(column: str, grain: str, before: bool) -> str:
    """Return the condition that compiled code has in place of the intervals.

    Args:
        column: the input's `event_time`.
        grain: the input's own; empty for the model's.
        before: whether the model reads all intervals before the last one to build.
    """
    which = "before those of" if before else "of"
    return f"/* intervals {which} {column}{f' by {grain}' if grain else ''} */ true"


def replace_markers(sql: str, intervals: Iterable[date], grain: Grain, column: str) -> str:
    """Return compiled code with the condition of some intervals in place of every marker.

    A query without a marker, or with an input of another grain, can give rows of other intervals; those are left out.

    Args:
        sql: the compiled model.
        intervals: the intervals to build.
        grain: the model's.
        column: the model's column that gives a row's interval.
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
    """Return what a Python model reads of an input, as ISO (start, end); the end is not included.

    Args:
        input_grain: the input's own; empty for the model's.
        before: whether the model reads all intervals before the last one to build.
        intervals: the intervals to build.
        grain: the model's.
    """
    own = GRAINS.get(input_grain, grain)
    if before:
        return [("", datetime.combine(last, time()).isoformat()) for last in [max(intervals, default=None)] if last]
    starts = sorted({start for interval in intervals for start in own.overlapping(interval, grain)})
    return [
        (datetime.combine(start, time()).isoformat(), datetime.combine(own.following(start), time()).isoformat())
        for start in starts
    ]
