"""Explain a merge that failed because several new rows match one row of the table.

SQL models and Python models share this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Error classes of Delta and Spark. A merge that fails with one of them has changed nothing.
DUPLICATE_KEY_ERRORS = ("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "MERGE_CARDINALITY_VIOLATION")


def is_duplicate_key_error(error: BaseException) -> bool:
    """Return whether a merge failed because several new rows match the same row of the table."""
    return any(text in str(error) for text in DUPLICATE_KEY_ERRORS)


def duplicate_key_query(source: str, keys: Sequence[str], table: str | None = None) -> str:
    """Return a query for the most frequent duplicate key, its row count, and the number of duplicate keys.

    Args:
        source: the merge's source as SQL.
        keys: the key columns as SQL.
        table: if given, the query only counts keys that this table has too.
    """
    source_keys = [f"new.{key}" for key in keys]
    group_by = ", ".join(source_keys)
    texts = ", ".join(f"cast({key} as string) as k{number}" for number, key in enumerate(source_keys))
    match = " and ".join(f"{key} = old.{name}" for key, name in zip(source_keys, keys, strict=True))
    semi_join = f"left semi join {table} as old on {match} " if table else ""
    grouped = f"select {texts}, count(*) as n from {source} as new {semi_join}group by {group_by}"
    return f"select *, count(*) over () from ({grouped} having count(*) > 1) order by n desc, k0 limit 1"


def error_parts(
    rows: Callable[[str], Sequence[Any]], target: str, source: str, keys: Sequence[str], labels: Sequence[str] = ()
) -> tuple[str, str, str] | None:
    """Return what was needed, what was found and what to do, for a merge with duplicate keys.

    The result is None if no key occurs more than once, or if the query for the keys fails.

    Args:
        rows: runs a query and returns its rows.
        target: the table's name as SQL.
        source: the merge's source as SQL.
        keys: the key columns as SQL.
        labels: names of the keys for the message, if the keys aren't columns of the table. With labels, the query
            counts all duplicate keys; without labels, only duplicate keys that the table has too.
    """
    try:
        found = list(rows(duplicate_key_query(source, keys, None if labels else target))) if keys else []
    except Exception:
        # The user should see the merge's error and not this query's error.
        return None
    if not found:
        return None
    *values, count, others = found[0]
    key = ", ".join(
        f"{name} = {'null' if value is None else repr(str(value))}"
        for name, value in zip(labels or keys, values, strict=True)
    )
    more = f"; {others} keys occur more than once" if int(others) > 1 else ""
    return (
        f"one new row for each unique_key of {target}",
        f"{count} rows with {key}{more}",
        "keep one row for each key in the model, for example with row_number(), or add the columns that distinguish "
        "the rows to unique_key; the table is unchanged",
    )
