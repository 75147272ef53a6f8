"""Compare a table's columns with the columns of its new rows, and create the statements for `on_schema_change`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.delta import table_features
from penstock.python_runtime.job import Layout
from penstock.python_runtime.model_errors import RefusedModelError
from penstock.sql.data_types import from_pyspark, parse
from penstock.sql.names import quote_identifier, string_literal

# For each type, the wider types that can store all of its values unchanged.
FITS_INTO = {
    "tinyint": {"smallint", "int", "bigint", "float", "double"},
    "smallint": {"int", "bigint", "float", "double"},
    "int": {"bigint", "double"},
    "float": {"double"},
    "date": {"timestamp_ntz"},
}


def column_types(schema: Any) -> dict[str, str]:
    """Return the column names and SQL types of a Spark schema, in order."""
    return {item.name: from_pyspark(item.dataType).sql for item in schema.fields}


def repeated_names(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, ignoring case."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.lower(), []).append(name)
    return [name for group in groups.values() if len(group) > 1 for name in group]


@dataclass(frozen=True)
class SchemaChange:
    """The difference between the columns of a table and the columns of its new rows.

    Attributes:
        added: the types of new columns, by name.
        removed: the columns of the table that the new rows lack.
        retyped: for each column that can't hold the new values, (type in the table, type in the new rows) by name.
    """

    added: dict[str, str]
    removed: tuple[str, ...]
    retyped: dict[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)

    def __str__(self) -> str:
        return "; ".join(
            [f"{name} ({data_type}) is new" for name, data_type in self.added.items()]
            + [f"{name} is missing" for name in self.removed]
            + [f"{name} is {new}, in the table {old}" for name, (old, new) in self.retyped.items()]
        )


def compare_columns(table: Mapping[str, str], rows: Mapping[str, str]) -> SchemaChange:
    """Return the difference between the columns of a table and of its new rows, ignoring the case of names."""
    old = {name.lower(): (name, data_type) for name, data_type in table.items()}
    new = {name.lower(): (name, data_type) for name, data_type in rows.items()}
    retyped = {
        old[key][0]: (old[key][1], new[key][1])
        for key in old
        if key in new
        and not parse(old[key][1]).accepts(parse(new[key][1]))
        and old[key][1] not in FITS_INTO.get(new[key][1], ())
    }
    return SchemaChange(
        {name: parse(data_type).storable.sql for key, (name, data_type) in new.items() if key not in old},
        tuple(name for key, (name, _) in old.items() if key not in new),
        retyped,
    )


def _set_properties(target: str, properties: Mapping[str, str]) -> list[str]:
    pairs = ", ".join(f"{string_literal(key)} = {string_literal(value)}" for key, value in properties.items())
    return [f"alter table {target} set tblproperties ({pairs})"] if pairs else []


@dataclass(frozen=True)
class AlterStatements:
    """Statements that adapt a table's columns to its new rows.

    Attributes:
        before: statements to run before the rows are written.
        after: statements to run after the rows are written. They drop columns, so that a failed write doesn't lose the
            data of these columns.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def alter_statements(
    target: str, change: SchemaChange, on_schema_change: str, layout: Layout, properties: Collection[str] = ()
) -> AlterStatements:
    """Return the statements that `on_schema_change` requires for a schema change.

    Args:
        target: the table's name as SQL.
        change: the difference between the columns of the table and of the new rows.
        on_schema_change: the model's setting.
        layout: the table's layout.
        properties: the names of the table properties that are already set.

    Raises:
        RefusedModelError: the setting is `fail` and any column differs, the setting is `ignore` and the rows lack a
            column, or the format doesn't support the change.
    """
    do = "set on_schema_change, or run with --full-refresh"
    if on_schema_change == "fail" and change:
        raise RefusedModelError(f"the columns of {target} (on_schema_change: fail)", str(change), do)
    if on_schema_change == "ignore" and change.removed:
        found = str(SchemaChange({}, change.removed, {}))
        raise RefusedModelError(f"every column of {target} (on_schema_change: ignore)", found, do)
    before: list[str] = []
    after: list[str] = []
    if on_schema_change in ("append_new_columns", "sync_all_columns") and change.added:
        before += _add_columns(target, change.added, layout, properties)
    if on_schema_change == "sync_all_columns" and change.removed:
        after += _drop_columns(target, change.removed, layout)
    if on_schema_change == "sync_all_columns" and change.retyped:
        before += _widen_columns(target, change.retyped, layout)
    return AlterStatements(tuple(before), tuple(after))


def _add_columns(target: str, added: Mapping[str, str], layout: Layout, properties: Collection[str]) -> list[str]:
    required = table_features.required_properties(added, properties) if layout.features else {}
    definitions = ", ".join(f"{quote_identifier(name)} {data_type}" for name, data_type in added.items())
    return [*_set_properties(target, required), f"alter table {target} add columns ({definitions})"]


def _drop_columns(target: str, removed: Collection[str], layout: Layout) -> list[str]:
    if layout.drop_columns_with is None:
        raise RefusedModelError(
            f"a format that drops columns (on_schema_change: sync_all_columns) for {target}",
            f"{layout.file_format}, and {', '.join(removed)} to drop",
            "run with --full-refresh",
        )
    names = ", ".join(map(quote_identifier, removed))
    return [*_set_properties(target, layout.drop_columns_with), f"alter table {target} drop columns ({names})"]


def _widen_columns(target: str, retyped: Mapping[str, tuple[str, str]], layout: Layout) -> list[str]:
    if layout.widen_columns_with is None:
        raise RefusedModelError(
            f"a format that changes types (on_schema_change: sync_all_columns) for {target}",
            f"{layout.file_format}, and {SchemaChange({}, (), dict(retyped))}",
            "cast the column, or run with --full-refresh",
        )
    return [
        *_set_properties(target, layout.widen_columns_with),
        *(
            f"alter table {target} alter column {quote_identifier(name)} type {new}"
            for name, (_, new) in retyped.items()
        ),
    ]
