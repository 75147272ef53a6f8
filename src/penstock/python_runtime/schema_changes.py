"""A table's columns against those of its new rows, and the statements that bring them to these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.delta import table_features
from penstock.python_runtime.job import Layout
from penstock.python_runtime.model_errors import ModelError
from penstock.sql.data_types import of, parse
from penstock.sql.names import quoted

# A value of the left type is stored in a column of the right ones as it is.
FITS = {
    "tinyint": {"smallint", "int", "bigint", "float", "double"},
    "smallint": {"int", "bigint", "float", "double"},
    "int": {"bigint", "double"},
    "float": {"double"},
    "date": {"timestamp_ntz"},
}


def types(schema: Any) -> dict[str, str]:
    """Names and SQL types of a Spark schema, in order."""
    return {item.name: of(item.dataType).sql for item in schema.fields}


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, without case."""
    same: dict[str, list[str]] = {}
    for name in names:
        same.setdefault(name.lower(), []).append(name)
    return [name for alike in same.values() if len(alike) > 1 for name in alike]


@dataclass(frozen=True)
class Change:
    """How new rows' columns differ from a table's.

    Attributes:
        added: new columns with their types.
        removed: the table's columns that the rows lack.
        retyped: columns whose type in the table can't hold the rows': name to (table's, rows').
    """

    added: dict[str, str]
    removed: tuple[str, ...]
    retyped: dict[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)

    def words(self) -> str:
        """The difference for a person."""
        return "; ".join(
            [f"{name} ({words}) is new" for name, words in self.added.items()]
            + [f"{name} is missing" for name in self.removed]
            + [f"{name} is {new}, in the table {old}" for name, (old, new) in self.retyped.items()]
        )


def compare(table: Mapping[str, str], rows: Mapping[str, str]) -> Change:
    """The change from a table's columns to the rows'; names without case."""
    old = {name.lower(): (name, words) for name, words in table.items()}
    new = {name.lower(): (name, words) for name, words in rows.items()}
    both = [key for key in old if key in new]
    retyped = {
        old[key][0]: (old[key][1], new[key][1])
        for key in both
        if not parse(old[key][1]).takes(parse(new[key][1])) and old[key][1] not in FITS.get(new[key][1], ())
    }
    return Change(
        {name: parse(words).stored.sql for key, (name, words) in new.items() if key not in old},
        tuple(name for key, (name, _) in old.items() if key not in new),
        retyped,
    )


def _allow(target: str, properties: Mapping[str, str]) -> list[str]:
    pairs = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
    return [f"alter table {target} set tblproperties ({pairs})"] if pairs else []


@dataclass(frozen=True)
class Plan:
    """Statements that bring a table's columns to its new rows'.

    Attributes:
        before: run before the rows are written.
        after: run after them: a column is dropped only once the rows are in, so that a run that
            fails takes nothing with it.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def plan(target: str, change: Change, on_schema_change: str, layout: Layout, properties: Collection[str] = ()) -> Plan:
    """What brings a table's columns to the rows', by `on_schema_change`.

    Args:
        target: the table.
        change: from its columns to the rows'.
        on_schema_change: as in the model's config.
        layout: the table's.
        properties: the names of the table properties that it has.

    Raises:
        ModelError: `fail` and any change; `ignore` and a missing column; or a change the format can't make.
    """
    full = "set on_schema_change, or run with --full-refresh"
    if on_schema_change == "fail" and change:
        raise ModelError.of(f"the columns of {target} (on_schema_change: fail)", change.words(), full)
    if on_schema_change == "ignore" and change.removed:
        only = Change({}, change.removed, {})
        raise ModelError.of(f"every column of {target} (on_schema_change: ignore)", only.words(), full)
    before: list[str] = []
    after: list[str] = []
    if on_schema_change in ("append_new_columns", "sync_all_columns") and change.added:
        if layout.features:
            before += _allow(target, table_features.properties(change.added, properties))
        listed = ", ".join(f"{quoted(name)} {words}" for name, words in change.added.items())
        before.append(f"alter table {target} add columns ({listed})")
    if on_schema_change != "sync_all_columns":
        return Plan(tuple(before))
    if change.removed:
        if layout.drop_columns_with is None:
            raise ModelError.of(
                f"a format that drops columns (on_schema_change: sync_all_columns) for {target}",
                f"{layout.file_format}, and {', '.join(change.removed)} to drop",
                "run with --full-refresh",
            )
        after += _allow(target, layout.drop_columns_with)
        after.append(f"alter table {target} drop columns ({', '.join(map(quoted, change.removed))})")
    if change.retyped:
        if layout.widen_columns_with is None:
            only = Change({}, (), change.retyped)
            raise ModelError.of(
                f"a format that changes types (on_schema_change: sync_all_columns) for {target}",
                f"{layout.file_format}, and {only.words()}",
                "cast the column, or run with --full-refresh",
            )
        before += _allow(target, layout.widen_columns_with)
        before += [
            f"alter table {target} alter column {quoted(name)} type {new}" for name, (_, new) in change.retyped.items()
        ]
    return Plan(tuple(before), tuple(after))
