"""A merge that several new rows want to change one row of: which key is there twice; SQL and Python models alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Delta's and Spark's error classes for it: nothing was written.
SEVERAL = ("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "MERGE_CARDINALITY_VIOLATION")


def is_duplicate(error: BaseException) -> bool:
    """Return whether a merge failed because several of its rows match the same row of the table."""
    return any(text in str(error) for text in SEVERAL)


def query(source: str, keys: Sequence[str], table: str | None = None) -> str:
    """Return a query for the key that the most rows have, how many these are, and how many such keys there are.

    Args:
        source: the merge's source, as SQL.
        keys: its key columns, as SQL.
        table: that has the keys, too; None counts every key.
    """
    own = [f"new.{key}" for key in keys]
    listed = ", ".join(own)
    texts = ", ".join(f"cast({key} as string) as k{number}" for number, key in enumerate(own))
    match = " and ".join(f"{key} = old.{name}" for key, name in zip(own, keys, strict=True))
    there = f"left semi join {table} as old on {match} " if table else ""
    twice = f"select {texts}, count(*) as n from {source} as new {there}group by {listed} having count(*) > 1"
    return f"select *, count(*) over () from ({twice}) order by n desc, k0 limit 1"


def in_parts(
    rows: Callable[[str], Sequence[Any]], target: str, source: str, keys: Sequence[str], named: Sequence[str] = ()
) -> tuple[str, str, str] | None:
    """What was needed, found and to be done; None when no key is found twice.

    Args:
        rows: runs a query.
        target: the table.
        source: see `query`.
        keys: see `query`.
        named: what to call keys that the table doesn't have; by default they are its columns.
    """
    try:
        found = list(rows(query(source, keys, None if named else target))) if keys else []
    except Exception:
        # The merge's own error is to be shown, not this one's.
        return None
    if not found:
        return None
    *values, count, others = found[0]
    key = ", ".join(
        f"{name} = {'null' if value is None else repr(str(value))}"
        for name, value in zip(named or keys, values, strict=True)
    )
    more = f"; {others} keys are there more than once" if int(others) > 1 else ""
    return (
        f"one new row for each unique_key of {target}",
        f"{count} rows with {key}{more}",
        "keep one row for each key in the model (by row_number, for one), or add the columns that tell them apart to "
        "unique_key; the table is as it was before",
    )
