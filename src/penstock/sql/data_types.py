"""Spark's data types as text, `struct<a:int,b:array<string>>`: read, compared, and written for SQL.

The text is what DESCRIBE and `simpleString` give: names inside a struct are not quoted there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

# Of a session: beyond 25 fields Spark cuts a struct's type short, in DESCRIBE too.
WHOLE = {"spark.sql.debug.maxToStringFields": "100000"}
VOID, STRING = "void", "string"
PLAIN = re.compile(r"[^\W\d]\w*")
TEXT_OF_A_LENGTH = re.compile(r"(var)?char\(\d+\)")
NESTED = ("struct", "array", "map")


@dataclass(frozen=True)
class DataType:
    """A data type.

    Attributes:
        name: `struct`, `array`, `map`, or a whole simple type, as in `decimal(10,2)`.
        parts: the types inside, with the field's name in a struct and an empty one elsewhere.
    """

    name: str
    parts: tuple[tuple[str, DataType], ...] = ()

    def each(self, change: Callable[[DataType], DataType]) -> DataType:
        """The same type with each simple type in it changed."""
        if self.name not in NESTED:
            return change(self)
        return replace(self, parts=tuple((label, part.each(change)) for label, part in self.parts))

    @property
    def has_void(self) -> bool:
        """Whether it is VOID, the type of a NULL literal, or has one inside."""
        return self.name == VOID or any(part.has_void for _, part in self.parts)

    @property
    def stored(self) -> DataType:
        """The type of a table's column: a string in place of each VOID, which no table format can read back."""
        return self.each(lambda simple: DataType(STRING) if simple.name == VOID else simple)

    def has(self, name: str) -> bool:
        """Whether a simple type of this name is in it."""
        return self.name == name or any(part.has(name) for _, part in self.parts)

    def names(self) -> list[str]:
        """The names of all fields of structs in it."""
        return [label for label, _ in self.parts if label] + [name for _, part in self.parts for name in part.names()]

    def takes(self, other: DataType) -> bool:
        """Whether a column of this type can be declared for values of the other one, or stores them as they are.

        Names don't know case. VOID is a NULL of any type, a string has no length, and a decimal written
        without digits is any decimal, as in dbt's contracts.
        """
        if other.name == VOID or (self.name == STRING and TEXT_OF_A_LENGTH.fullmatch(other.name)):
            return True
        if self.name == "decimal" and other.name.startswith("decimal("):
            return True
        if self.name not in NESTED or self.name != other.name or len(self.parts) != len(other.parts):
            return self.key == other.key
        pairs = zip(self.parts, other.parts, strict=True)
        return all(mine[0].lower() == theirs[0].lower() and mine[1].takes(theirs[1]) for mine, theirs in pairs)

    @property
    def key(self) -> str:
        """A text that is the same for the same type: Spark's names don't know case."""
        return self.sql.lower()

    @property
    def sql(self) -> str:
        """The type as SQL takes it: a name that isn't plain is quoted."""
        if self.name not in NESTED:
            return self.name
        inside = [f"{_name(label)}:{part.sql}" if self.name == "struct" else part.sql for label, part in self.parts]
        return f"{self.name}<{','.join(inside)}>"


def _name(label: str) -> str:
    return label if PLAIN.fullmatch(label) else f"`{label.replace('`', '``')}`"


def of(data_type: Any) -> DataType:
    """The type of one of PySpark's type objects."""
    name = data_type.typeName()
    if name == "struct":
        return DataType(name, tuple((item.name, of(item.dataType)) for item in data_type.fields))
    if name == "array":
        return DataType(name, (("", of(data_type.elementType)),))
    if name == "map":
        return DataType(name, (("", of(data_type.keyType)), ("", of(data_type.valueType))))
    return DataType(str(data_type.simpleString()))


def parse(text: str) -> DataType:
    """Read a type.

    Args:
        text: as DESCRIBE gives it. What can't be read is taken for a simple type.
    """
    try:
        found, end = _read(text, 0)
    except (IndexError, ValueError):
        return DataType(text)
    return found if end == len(text) else DataType(text)


def _read(text: str, start: int) -> tuple[DataType, int]:
    for name in NESTED:
        if text[start : start + len(name) + 1].lower() == f"{name}<":
            return _inside(name, text, start + len(name) + 1)
    # A simple type ends at the comma or bracket that closes what it is in; those of `decimal(10,2)` are its own.
    end, depth = start, 0
    while end < len(text) and (depth or text[end] not in ",>"):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    if end == start:
        raise ValueError(text)
    return DataType(text[start:end]), end


def _inside(name: str, text: str, at: int) -> tuple[DataType, int]:
    parts: list[tuple[str, DataType]] = []
    while text[at] != ">":
        at += text[at] == ","
        label = ""
        if name == "struct":
            label, at = _label(text, at)
        part, at = _read(text, at)
        parts.append((label, part))
    return DataType(name, tuple(parts)), at + 1


def _label(text: str, at: int) -> tuple[str, int]:
    """A field's name: up to the colon that a type follows, or between backticks."""
    if text[at] == "`":
        end = at + 1
        while text[end] != "`" or text[end : end + 2] == "``":
            end += 2 if text[end] == "`" else 1
        return text[at + 1 : end].replace("``", "`"), end + 2
    end = text.index(":", at)
    return text[at:end], end + 1
