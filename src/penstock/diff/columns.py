"""The columns of two tables: which ones differ, and the SQL expressions by which equal-named columns are compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.sql import data_types
from penstock.sql.data_types import DataType
from penstock.sql.names import quote_identifier

# (name, type) of each column, in the order of the table.
Columns = Sequence[tuple[str, str]]
INTEGERS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
FLOATS = ("float", "double")
TIMES = ("date", "timestamp", "timestamp_ntz")
DECIMAL = re.compile(r"decimal\((\d+),\s*(-?\d+)\)")
MAX_DIGITS = 38
# By default, to_json drops NULL fields and the microseconds of timestamps. These options keep them.
JSON_OPTIONS = (
    "map('ignoreNullFields', 'false', 'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX', "
    "'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS')"
)


@dataclass(frozen=True)
class SchemaChanges:
    """The differences between the columns of two tables.

    Attributes:
        added: (name, type) of the columns that only the table after the change has.
        removed: (name, type) of the columns that only the table before the change has.
        retyped: (name, type before, type after) of the columns whose type differs.
    """

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)


@dataclass(frozen=True)
class ComparedColumn:
    """A column that both tables have. The letter case of its name may differ.

    Attributes:
        name: the name in the table after the change.
        names: the name in the table before and after the change.
        types: the type in the table before and after the change.
        type: the type in which the values are compared.
    """

    name: str
    names: tuple[str, str]
    types: tuple[DataType, DataType]
    type: DataType

    def value(self, is_after: bool) -> str:
        """Return the SQL expression of the compared value in one of the tables.

        Maps become arrays of entries in the order of their keys, because Spark doesn't compare maps.
        """
        column, own = quote_identifier(self.names[is_after]), self.types[is_after]
        if own.sql.lower() == self.type.sql.lower():
            return comparable(column, own)
        if self.type.name == data_types.STRING:
            return text(comparable(column, own), own)
        return f"cast({column} as {self.type.sql})"

    @property
    def is_nested(self) -> bool:
        """Return whether the compared value is a struct, an array or a map."""
        return self.type.name in data_types.NESTED

    @property
    def is_numeric(self) -> bool:
        """Return whether the column has a sum."""
        return is_numeric(self.type.name)

    def text(self, value: str) -> str:
        """Return the SQL expression that shows a compared value as text."""
        return text(value, self.type)

    def hashed(self, value: str) -> list[str]:
        """Return the SQL expressions whose hash represents the compared value.

        Spark's hash skips NULLs in structs and arrays, so that `(1, NULL)` and `(NULL, 1)` have the same hash. The
        JSON texts of such values differ, so the text of a nested value is hashed too.
        """
        return [value, self.text(value)] if self.is_nested else [value]


def text(value: str, of: DataType) -> str:
    """Return the SQL expression that shows a value as text."""
    if of.name in data_types.NESTED:
        return f"to_json({value}, {JSON_OPTIONS})"
    return f"base64({value})" if of.name == "binary" else f"cast({value} as string)"


def is_numeric(name: str) -> bool:
    """Return whether a simple type is a number."""
    return name in INTEGERS or name in FLOATS or bool(DECIMAL.fullmatch(name))


def comparable(value: str, of: DataType, depth: int = 0) -> str:
    """Return a SQL expression whose values can be compared, sorted and hashed.

    Args:
        value: the SQL expression of a value.
        of: the type of the value.
        depth: the number of types around this type. It makes the names of lambda variables unique.
    """
    if of.name == "variant":
        return f"cast({value} as string)"
    if not (of.contains("variant") or _has_map(of)):
        return value
    item = f"x{depth}"
    if of.name == "array":
        return f"transform({value}, {item} -> {comparable(item, of.parts[0][1], depth + 1)})"
    if of.name == "map":
        key, entry = f"{item}.key", comparable(f"{item}.value", of.parts[1][1], depth + 1)
        return f"array_sort(transform(map_entries({value}), {item} -> struct({key} as key, {entry} as value)))"
    fields = ", ".join(
        f"{comparable(f'{value}.{quote_identifier(label)}', part, depth)} as {quote_identifier(label)}"
        for label, part in of.parts
    )
    return f"if({value} is null, null, struct({fields}))"


def _has_map(of: DataType) -> bool:
    return of.name == "map" or any(_has_map(part) for _, part in of.parts)


def schema_changes(before: Columns, after: Columns) -> SchemaChanges:
    """Return the differences between two tables' columns. The letter case of names is ignored."""
    old = {name.casefold(): (name, kind) for name, kind in before}
    new = {name.casefold(): (name, kind) for name, kind in after}
    return SchemaChanges(
        tuple(column for name, column in new.items() if name not in old),
        tuple(column for name, column in old.items() if name not in new),
        tuple(
            (column[0], old[name][1], column[1])
            for name, column in new.items()
            if name in old and old[name][1].lower() != column[1].lower()
        ),
    )


def compared_columns(before: Columns, after: Columns) -> list[ComparedColumn]:
    """Return the columns that both tables have, in the order of the table after the change."""
    old = {name.casefold(): (name, kind) for name, kind in before}
    columns = []
    for name, kind in after:
        if name.casefold() in old:
            old_name, old_kind = old[name.casefold()]
            types = data_types.parse(old_kind), data_types.parse(kind)
            common = types[1] if old_kind.lower() == kind.lower() else DataType(common_type(old_kind, kind))
            columns.append(ComparedColumn(name, (old_name, name), types, common))
    return columns


def common_type(one: str, other: str) -> str:
    """Return the type in which values of two different types are compared.

    Two numbers are compared as numbers, two times as times, and all other values as text. Decimals keep all digits of
    both types. If this requires more than 38 digits, the values are compared as text.
    """
    pair = {one.lower(), other.lower()}
    if all(is_numeric(name) for name in pair):
        if pair & set(FLOATS):
            return "double"
        digits = [_digits(name) for name in pair]
        scale = max(after for _, after in digits)
        whole = max(before for before, _ in digits)
        if scale == 0 and pair <= set(INTEGERS):
            return max(pair, key=lambda name: INTEGERS[name])
        return f"decimal({whole + scale},{scale})" if whole + scale <= MAX_DIGITS else "string"
    if pair <= set(TIMES):
        return "timestamp" if pair == {"date", "timestamp"} else "timestamp_ntz"
    return "string"


def _digits(name: str) -> tuple[int, int]:
    """Return the number of digits before and after the decimal point."""
    if name in INTEGERS:
        return INTEGERS[name], 0
    match = DECIMAL.fullmatch(name)
    assert match
    return int(match[1]) - int(match[2]), int(match[2])
