"""Explain the error that Delta raises if a write that replaces intervals contains rows of other intervals."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

MISMATCH = "DELTA_REPLACE_WHERE_MISMATCH"
# Delta's message shows the values of one row of another interval: a date is the number of days since 1970, a timestamp
# the number of microseconds since 1970.
_VALUE = re.compile(r"^\s*- (?P<column>\S+) : (?P<value>\S[^\n]*?)\s*$", re.MULTILINE)
_MAX_DAYS = 10**7


def error_parts(error: BaseException, condition: str | None) -> tuple[str, str, str] | None:
    """Return the three parts of the error message; None for any other error.

    Args:
        error: the error of the statement.
        condition: the SQL predicate that selects the rows to replace. It begins with the model's event_time column.
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
    """Return a date or timestamp from Delta's message as text; return other values unchanged."""
    if not re.fullmatch(r"-?\d+", value):
        return value
    number = int(value)
    if abs(number) < _MAX_DAYS:
        return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
    return str(datetime(1970, 1, 1) + timedelta(microseconds=number))
