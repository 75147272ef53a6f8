"""Explain Delta's error about rows outside the intervals that a write replaces."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

MISMATCH = "DELTA_REPLACE_WHERE_MISMATCH"
# Delta shows the values of one such row: dates as days and timestamps as microseconds since 1970.
_VALUE = re.compile(r"^\s*- (?P<column>\S+) : (?P<value>\S[^\n]*?)\s*$", re.MULTILINE)
_MAX_DAYS = 10**7


def error_parts(error: BaseException, condition: str | None) -> tuple[str, str, str] | None:
    """Return the three parts of the error message; None for any other error.

    Args:
        error: what the statement raised.
        condition: the condition on the rows to replace. It begins with the model's event_time column.
    """
    if MISMATCH not in str(error) or not condition:
        return None
    column = condition.strip("( ").split()[0]
    row = _VALUE.search(str(error))
    found = f"a row with {row['column']} {_as_sql(row['value'])}" if row else "a row of another interval"
    return (
        f"rows of the intervals to build, by {column}: {condition}",
        found,
        f"set the model's event_time ({column}) to the interval of the input row, or filter such rows out; "
        "the table is unchanged",
    )


def _as_sql(value: str) -> str:
    """Return a value as SQL shows it."""
    if not re.fullmatch(r"-?\d+", value):
        return value
    number = int(value)
    if abs(number) < _MAX_DAYS:
        return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
    return str(datetime(1970, 1, 1) + timedelta(microseconds=number))
