"""The result of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from penstock.diff.checksums import Figures, Number
from penstock.diff.columns import SchemaChanges
from penstock.diff.keys import Key
from penstock.diff.multisets import DuplicateKeys
from penstock.diff.row_changes import ADDED, REMOVED, Example, RowChanges
from penstock.intervals.grain import MONTH

EQUAL, DIFFERENT, NEW = "equal", "different", "new"
NOT_BUILT, NO_VERSION, SAME_TABLE, VIEW = "not built here", "no such version", "same table", "view"
COMPARED = (EQUAL, DIFFERENT, NEW)


@dataclass(frozen=True)
class TableDiff:
    """The differences between two tables of one model.

    Attributes:
        name: the model's name.
        before, after: the tables as SQL.
        status: `equal`, `different`, `new` (only after the change), or why the tables were not compared.
        schema: the differences between the columns.
        key: the columns by which rows were matched; empty if whole rows were compared.
        duplicates: the keys that are in several rows. If there are any, whole rows were compared.
        rows: the numbers of compared rows, before and after the change.
        changes: the differences between the rows, with the names of columns.
        figures: the figures of each compared column outside the key, before and after the change.
        columns: the names of all compared columns, the key first. An example of a whole row has its values in the
            order of these names.
        skipped: the intervals that were not compared because their fingerprints are equal, as text.
        skipped_count, skipped_rows: the number of skipped intervals and of their rows; None for unknown rows.
        grain: the grain of the intervals.
        plan_changes: how the joins of the captured plans differ, one sentence each.
        note: a sentence about the comparison; empty without one.
    """

    name: str
    before: str = ""
    after: str = ""
    status: str = EQUAL
    schema: SchemaChanges = field(default_factory=SchemaChanges)
    key: Key = field(default_factory=Key)
    duplicates: DuplicateKeys = field(default_factory=DuplicateKeys)
    rows: tuple[int, int] = (0, 0)
    changes: RowChanges = field(default_factory=RowChanges)
    figures: dict[str, tuple[Figures, Figures]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    skipped: str = ""
    skipped_count: int = 0
    skipped_rows: int | None = 0
    grain: str = MONTH
    plan_changes: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_by_key(self) -> bool:
        """Return whether rows were matched by a key."""
        return bool(self.key) and not self.duplicates

    @property
    def drifted(self) -> list[str]:
        """Return the columns whose sum or number of NULLs differs."""
        return [name for name, pair in self.figures.items() if _drifts(*pair)]


def _drifts(before: Figures, after: Figures) -> bool:
    return before.nulls != after.nulls or _text(before.total) != _text(after.total)


def _text(number: Number | None) -> str | None:
    return None if number is None else str(number)


@dataclass(frozen=True)
class Diff:
    """The result of the command.

    Attributes:
        before, after: what was compared, as in `target prod`, `version -1` or `target dev`.
        tables: the result of each table.
        sample: the share of rows that was compared.
    """

    before: str
    after: str
    tables: Sequence[TableDiff]
    sample: float = 1.0

    @property
    def differs(self) -> bool:
        """Return whether the rows or the columns of a table differ."""
        return any(table.status in (DIFFERENT, NEW) for table in self.tables)


def to_json(diff: Diff) -> dict[str, Any]:
    """Return the result as JSON values. Decimals are text, so that they stay exact."""
    return {
        "before": diff.before,
        "after": diff.after,
        "sample": diff.sample,
        "differs": diff.differs,
        "tables": [_table_json(table) for table in diff.tables],
    }


def _table_json(table: TableDiff) -> dict[str, Any]:
    return {
        "name": table.name,
        "before": table.before,
        "after": table.after,
        "status": table.status,
        "note": table.note,
        "columns": {
            "added": [{"name": name, "type": kind} for name, kind in table.schema.added],
            "removed": [{"name": name, "type": kind} for name, kind in table.schema.removed],
            "retyped": [{"name": name, "before": old, "after": new} for name, old, new in table.schema.retyped],
        },
        "key": list(table.key.columns),
        "key_source": table.key.source,
        "duplicate_keys": _duplicates_json(table),
        "rows": {
            "before": table.rows[0],
            "after": table.rows[1],
            "added": table.changes.added,
            "removed": table.changes.removed,
            "changed": table.changes.changed,
        },
        "skipped_intervals": {"intervals": table.skipped_count, "rows": table.skipped_rows, "which": table.skipped},
        "changed_columns": [
            {"name": name, "rows": count, "examples": [_example_json(table, item) for item in _examples(table, name)]}
            for name, count in table.changes.columns.items()
        ],
        "examples": {
            kind: [_example_json(table, item) for item in _examples(table, kind)] for kind in (ADDED, REMOVED)
        },
        "drift": [_drift_json(name, *pair) for name, pair in table.figures.items()],
        "plan_changes": list(table.plan_changes),
    }


def _examples(table: TableDiff, kind: str) -> list[Example]:
    return table.changes.examples.get(kind, [])


def _duplicates_json(table: TableDiff) -> dict[str, Any]:
    found = table.duplicates
    return {
        "keys": {"before": found.keys[0], "after": found.keys[1]},
        "rows": {"before": found.rows[0], "after": found.rows[1]},
        "examples": [
            {"key": dict(zip(table.key.columns, item.key, strict=False)), "rows": item.times} for item in found.examples
        ],
    }


def _example_json(table: TableDiff, example: Example) -> dict[str, Any]:
    if table.is_by_key:
        values = {"key": dict(zip(table.key.columns, example.key, strict=False))}
        return {**values, "before": example.before, "after": example.after}
    return {"row": dict(zip(table.columns, example.key, strict=False)), "times": example.times}


def _drift_json(name: str, before: Figures, after: Figures) -> dict[str, Any]:
    return {"name": name, "before": _figures_json(before), "after": _figures_json(after)}


def _figures_json(figures: Figures) -> dict[str, Any]:
    return {"sum": _number_json(figures.total), "mean": _number_json(figures.mean), "nulls": figures.nulls}


def _number_json(number: Number | None) -> Any:
    """Return a number for JSON, which has neither exact decimals nor NaN."""
    if isinstance(number, Decimal) or (number is not None and number - number != 0):
        return str(number)
    return number
