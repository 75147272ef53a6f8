"""Rows that fall outside the intervals a write replaces: what Delta says of them, in words a person can act on."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

MISMATCH = "DELTA_REPLACE_WHERE_MISMATCH"
# Delta names the values of one such row, dates as days and times as microseconds since 1970.
_VALUE = re.compile(r"^\s*- (?P<column>\S+) : (?P<value>\S[^\n]*?)\s*$", re.MULTILINE)
_DAYS_AT_MOST = 10**7


def in_parts(error: BaseException, condition: str | None) -> tuple[str, str, str] | None:
    """What was needed, found and to be done; None for any other error.

    Args:
        error: what the statement raised.
        condition: of the rows that it replaces; its first word is the model's event_time.
    """
    if MISMATCH not in str(error) or not condition:
        return None
    column = condition.strip("( ").split()[0]
    row = _VALUE.search(str(error))
    found = f"a row with {row['column']} {_shown(row['value'])}" if row else "a row of another interval"
    return (
        f"rows of the intervals that are built, by {column}: {condition}",
        found,
        f"make the model's event_time ({column}) the interval of the input that a row is made from, or leave such "
        "rows out; the table is as it was before",
    )


def _shown(value: str) -> str:
    """A value as SQL would show it."""
    if not re.fullmatch(r"-?\d+", value):
        return value
    number = int(value)
    if abs(number) < _DAYS_AT_MOST:
        return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
    return str(datetime(1970, 1, 1) + timedelta(microseconds=number))
