"""Check that the rows that replace intervals belong to these intervals. Delta checks the rows itself, Iceberg doesn't.

SQL models and Python models share this module.
"""

from __future__ import annotations

import re

from penstock.sql.names import string_literal

# Iceberg removes whole files. If a file also has rows of intervals that stay, the write fails with this message.
PARTLY_REPLACED = "Cannot delete file where some, but not all, rows match filter"
_MARK = "penstock: a row of another interval"
_FAILED = re.compile(re.escape(_MARK) + r", (?P<column>.+?) = (?P<value>.*?) \(\S+\)")


def expression(condition: str) -> str:
    """Return a SQL condition that is true for each row of the intervals, and fails for any other row.

    `rand()` makes the condition nondeterministic, so Spark evaluates it after the model's query. Spark could evaluate a
    deterministic condition earlier, and fail because of rows that a join or filter of the query would still remove.

    Args:
        condition: the SQL predicate that selects the rows to replace. It begins with the model's event_time column.
    """
    column = _column(condition)
    value = f"coalesce(cast({column} as string), 'null')"
    message = f"concat({string_literal(f'{_MARK}, {column} = ')}, {value}, ' (', rand(), ')')"
    return f"if({condition}, true, cast(raise_error({message}) as boolean))"


def error_parts(error: BaseException, condition: str | None) -> tuple[str, str, str] | None:
    """Return the three parts of the error message; None for any other error.

    Args:
        error: the error of the statement.
        condition: the SQL predicate that selects the rows to replace.
    """
    if not condition:
        return None
    column, text = _column(condition), " ".join(str(error).split())
    if _MARK in text:
        row = _FAILED.search(text)
        return (
            f"rows of the intervals to build, by {column}: {condition}",
            f"a row with {row['column']} {row['value']}" if row else "a row of another interval",
            f"set the model's event_time ({column}) to the interval of the input row, or filter such rows out; "
            "the table is unchanged",
        )
    if PARTLY_REPLACED in text:
        return (
            f"files of {column} with rows of one interval each, because Iceberg replaces whole files",
            "a file with rows of other intervals too, written before partition_by was set or by another program",
            "build the table again with --full-refresh; the table is unchanged",
        )
    return None


def _column(condition: str) -> str:
    return condition.strip("( ").split(" >= ")[0]
