"""The message for rows outside the intervals that a write replaces."""

from __future__ import annotations

import pytest

from penstock.delta.replace_where_error import error_parts

CONDITION = "(month >= date'2024-01-01' and month < date'2024-02-01')"
REFUSED = """[DELTA_REPLACE_WHERE_MISMATCH] Written data does not conform to partial table overwrite condition.
[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint EXPRESSION(('month < 2024-02-01)) violated by row with values:
 - month : {}
SQLSTATE: 44000"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("19814", "2024-04-01"),
        ("-1", "1969-12-31"),
        ("1711929600000001", "2024-04-01 00:00:00.000001"),
        ("null", "null"),
    ],
)
def test_the_row_is_named_as_sql_shows_it(value: str, shown: str) -> None:
    """Delta writes a date as days and a time as microseconds since 1970."""
    parts = error_parts(RuntimeError(REFUSED.format(value)), CONDITION)
    assert parts is not None
    assert parts[0] == f"rows of the intervals to build, by month: {CONDITION}"
    assert parts[1] == f"a row with month {shown}"
    assert "event_time (month)" in parts[2] and "the table is unchanged" in parts[2]


def test_another_error_has_no_parts() -> None:
    assert error_parts(RuntimeError("[DIVIDE_BY_ZERO]"), CONDITION) is None
    assert error_parts(RuntimeError(REFUSED), None) is None
    unnamed = error_parts(RuntimeError("[DELTA_REPLACE_WHERE_MISMATCH] something else"), CONDITION)
    assert unnamed is not None and unnamed[1] == "a row of another interval"
