"""The texts that the terminal and Markdown share: numbers, and one line for each table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from penstock.diff.checksums import Figures, Number
from penstock.diff.results import COMPARED, DIFFERENT, NEW, NO_VERSION, NOT_BUILT, SAME_TABLE, VIEW, TableDiff
from penstock.diff.row_changes import Example

# Number of decimal places that a mean has in addition to the places of the column.
MEAN_PLACES = 2
MAX_VALUE = 60
NULL = "NULL"


def number(value: Number | None) -> str:
    """Return a number with thousands separators. A decimal keeps all its places."""
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return "not a number" if value != value else f"{value:,.6g}"


def rows_of(count: int) -> str:
    """Return a number of rows, as in `1 row` or `2,000 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def mean(figures: Figures) -> str:
    """Return the mean of a column, with two more places than its sum."""
    value = figures.mean
    if isinstance(value, Decimal) and isinstance(figures.total, Decimal):
        places = max(0, -int(figures.total.as_tuple().exponent)) + MEAN_PLACES
        return f"{round(value, places):,f}"
    return number(value)


def difference(before: Figures, after: Figures) -> str:
    """Return how much a sum changed, with its sign."""
    one, two = before.total, after.total
    if one is None or two is None or type(one) is not type(two):
        return "–"
    change = two - one  # type: ignore[operator]
    return f"{'+' if change > 0 else ''}{number(change)}"


def value(text: str | None) -> str:
    """Return a value on one line, cut if it is long."""
    if text is None:
        return NULL
    line = text.replace("\n", "⏎")
    return line if len(line) <= MAX_VALUE else line[: MAX_VALUE - 1] + "…"


def key(table: TableDiff, example: Example) -> str:
    """Return the key of an example, or its whole row, as `name=value` pairs."""
    text = _pairs(table.key.columns if table.is_by_key else table.columns, example)
    return text if example.times == 1 else f"{text} ({example.times:,} times)"


def _pairs(names: Sequence[str], example: Example) -> str:
    return ", ".join(f"{name}={value(text)}" for name, text in zip(names, example.key, strict=False))


def facts(table: TableDiff) -> Iterator[str]:
    """Yield sentences about the key, the skipped intervals, the columns and the plans."""
    if table.is_by_key:
        yield f"key: {', '.join(table.key.columns)} ({table.key.source})"
    if table.note:
        yield table.note
    for example in table.duplicates.examples:
        yield f"duplicate key {_pairs(table.key.columns, example)}: {rows_of(example.times)}"
    if table.skipped:
        yield f"{skipped(table)}: {table.skipped}"
    yield from (f"column added: {name} {kind}" for name, kind in table.schema.added)
    yield from (f"column removed: {name} {kind}" for name, kind in table.schema.removed)
    yield from (f"column retyped: {name} {before} → {after}" for name, before, after in table.schema.retyped)
    yield from (f"plan: {line}" for line in table.plan_changes)


def skipped(table: TableDiff) -> str:
    """Return a sentence about the skipped intervals; empty without any."""
    if not table.skipped_count:
        return ""
    rows = f", {rows_of(table.skipped_rows)}" if table.skipped_rows is not None else ""
    plural = "" if table.skipped_count == 1 else "s"
    return f"{table.skipped_count:,} {table.grain}{plural} equal by input and code{rows}"


def rows(table: TableDiff) -> tuple[str, str]:
    """Return the numbers of rows before and after the change, with the skipped rows; empty if nothing was compared."""
    if table.status not in COMPARED:
        return "", ""
    before, after = (f"{count + (table.skipped_rows or 0):,}" for count in table.rows)
    return before, after


def changes(table: TableDiff) -> str:
    """Return the numbers of differences of one table."""
    if table.status == NEW:
        return f"new table with {rows_of(table.rows[1])}"
    if table.status != DIFFERENT:
        return status(table)
    counts = [("added", table.changes.added), ("removed", table.changes.removed), ("changed", table.changes.changed)]
    parts = [f"{count:,} {name}" for name, count in counts if count]
    schema = table.schema
    number_of_columns = len(schema.added) + len(schema.removed) + len(schema.retyped)
    if number_of_columns:
        parts.append(f"{number_of_columns} column{'' if number_of_columns == 1 else 's'}")
    return ", ".join(parts)


def status(table: TableDiff) -> str:
    """Return why a table has no differences."""
    texts = {
        NOT_BUILT: "not built here",
        SAME_TABLE: "the same table in both targets",
        VIEW: "a view has no versions",
        NO_VERSION: f"no such version: {table.note}",
    }
    return texts.get(table.status, table.status)
