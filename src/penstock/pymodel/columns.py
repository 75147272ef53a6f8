"""Columns: those declared against those returned, and those of a table against the new rows'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.pymodel.failure import ModelError
from penstock.pymodel.job import Layout
from penstock.pymodel.names import quoted

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
    return {item.name: item.dataType.simpleString() for item in schema.fields}


def ddl(data_type: Any) -> str:
    """A type as `create table` takes it: like `simpleString`, the names inside a struct quoted."""
    name = data_type.typeName()
    if name == "struct":
        return f"struct<{', '.join(f'{quoted(item.name)}: {ddl(item.dataType)}' for item in data_type.fields)}>"
    if name == "array":
        return f"array<{ddl(data_type.elementType)}>"
    if name == "map":
        return f"map<{ddl(data_type.keyType)}, {ddl(data_type.valueType)}>"
    return str(data_type.simpleString())


def declared_types(session: Any, declared: Mapping[str, str | None], name: str) -> dict[str, str | None]:
    """Declared types in Spark's own spelling: `integer` and `INT` are both `int`.

    Raises:
        ModelError: a type that Spark doesn't know; its column is named.
    """
    found: dict[str, str | None] = {}
    for column, words in declared.items():
        if not words:
            found[column] = None
            continue
        try:
            found[column] = session.sql(f"select cast(null as {words}) as c").schema[0].dataType.simpleString()
        except Exception:
            raise ModelError.of(
                f"a Spark type for column {column} of {name}", f"data_type: {words}", "correct data_type in its yml"
            ) from None
    return found


def differences(declared: Mapping[str, str | None], found: Mapping[str, str]) -> list[str]:
    """Every way in which returned columns aren't the declared ones, in words; names without case."""
    have = {name.casefold(): (name, words) for name, words in found.items()}
    want = {name.casefold(): (name, words) for name, words in declared.items()}
    missing = [f"{name} is missing" for key, (name, _) in want.items() if key not in have]
    extra = [f"{name} ({words}) is not declared" for key, (name, words) in have.items() if key not in want]
    wrong = [
        f"{name} is {have[key][1]}, declared {words}"
        for key, (name, words) in want.items()
        if key in have and words and have[key][1] != words
    ]
    return missing + extra + wrong


def enforce(session: Any, declared: Mapping[str, str | None], schema: Any, name: str) -> None:
    """Check a result's columns against the declared ones.

    Raises:
        ModelError: they differ; every difference is named.
    """
    if found := differences(declared_types(session, declared, name), types(schema)):
        raise ModelError.of(f"the declared columns of {name}", "; ".join(found), "change the model or its yml")


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
    old = {name.casefold(): (name, words) for name, words in table.items()}
    new = {name.casefold(): (name, words) for name, words in rows.items()}
    both = [key for key in old if key in new]
    retyped = {
        old[key][0]: (old[key][1], new[key][1])
        for key in both
        if old[key][1] != new[key][1] and old[key][1] not in FITS.get(new[key][1], ())
    }
    return Change(
        {name: words for key, (name, words) in new.items() if key not in old},
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


def plan(target: str, change: Change, on_schema_change: str, layout: Layout) -> Plan:
    """What brings a table's columns to the rows', by `on_schema_change`.

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
