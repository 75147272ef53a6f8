"""Spark data types as text, such as `struct<a:int,b:array<string>>`: parse, compare and render them for SQL.

The text is the output of DESCRIBE and `simpleString`, which don't quote the names of struct fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from penstock.sql.names import quote_identifier

# Session setting: by default Spark truncates the type of a struct with more than 25 fields, in DESCRIBE too.
UNTRUNCATED_TYPES = {"spark.sql.debug.maxToStringFields": "100000"}
VOID, STRING = "void", "string"
PLAIN_NAME = re.compile(r"[^\W\d]\w*")
CHAR_OR_VARCHAR = re.compile(r"(var)?char\(\d+\)")
NESTED = ("struct", "array", "map")


@dataclass(frozen=True)
class DataType:
    """A data type.

    Attributes:
        name: `struct`, `array`, `map`, or a whole simple type such as `decimal(10,2)`.
        parts: the nested types, each with its label: the field name in a struct, else an empty string.
    """

    name: str
    parts: tuple[tuple[str, DataType], ...] = ()

    def map_simple_types(self, change: Callable[[DataType], DataType]) -> DataType:
        """Return this type with `change` applied to each simple type in it."""
        if self.name not in NESTED:
            return change(self)
        return replace(self, parts=tuple((label, part.map_simple_types(change)) for label, part in self.parts))

    @property
    def has_void(self) -> bool:
        """Whether this type is or contains VOID, the type of a NULL literal."""
        return self.name == VOID or any(part.has_void for _, part in self.parts)

    @property
    def storable(self) -> DataType:
        """This type with a string in place of each VOID, which no table format can read back."""
        return self.map_simple_types(lambda simple: DataType(STRING) if simple.name == VOID else simple)

    def contains(self, name: str) -> bool:
        """Return whether this type is or contains the named simple type."""
        return self.name == name or any(part.contains(name) for _, part in self.parts)

    def field_names(self) -> list[str]:
        """Return the names of all struct fields, nested ones included."""
        own = [label for label, _ in self.parts if label]
        return own + [name for _, part in self.parts for name in part.field_names()]

    def accepts(self, other: DataType) -> bool:
        """Return whether a column declared with this type can hold values of another type unchanged.

        Field names are compared without case. VOID is a NULL of any type, a string has no length limit, and
        `decimal` without digits accepts any decimal, as in dbt's contracts.
        """
        if other.name == VOID or (self.name == STRING and CHAR_OR_VARCHAR.fullmatch(other.name)):
            return True
        if self.name == "decimal" and other.name.startswith("decimal("):
            return True
        if self.name not in NESTED or self.name != other.name or len(self.parts) != len(other.parts):
            return self.sql.lower() == other.sql.lower()
        pairs = zip(self.parts, other.parts, strict=True)
        return all(mine[0].lower() == theirs[0].lower() and mine[1].accepts(theirs[1]) for mine, theirs in pairs)

    @property
    def sql(self) -> str:
        """This type as SQL text, with field names quoted where necessary."""
        if self.name not in NESTED:
            return self.name
        inner = [
            f"{_field_name(label)}:{part.sql}" if self.name == "struct" else part.sql for label, part in self.parts
        ]
        return f"{self.name}<{','.join(inner)}>"


def _field_name(label: str) -> str:
    return label if PLAIN_NAME.fullmatch(label) else quote_identifier(label)


def from_pyspark(data_type: Any) -> DataType:
    """Return the data type of a PySpark type object."""
    name = data_type.typeName()
    if name == "struct":
        return DataType(name, tuple((item.name, from_pyspark(item.dataType)) for item in data_type.fields))
    if name == "array":
        return DataType(name, (("", from_pyspark(data_type.elementType)),))
    if name == "map":
        return DataType(name, (("", from_pyspark(data_type.keyType)), ("", from_pyspark(data_type.valueType))))
    return DataType(str(data_type.simpleString()))


def parse(text: str) -> DataType:
    """Parse a type.

    Args:
        text: the type as DESCRIBE shows it. Text that can't be parsed becomes a simple type.
    """
    try:
        parsed, end = _parse_type(text, 0)
    except (IndexError, ValueError):
        return DataType(text)
    return parsed if end == len(text) else DataType(text)


def _parse_type(text: str, start: int) -> tuple[DataType, int]:
    """Return the type that begins at a position, and the position after it."""
    for name in NESTED:
        if text[start : start + len(name) + 1].lower() == f"{name}<":
            return _parse_nested(name, text, start + len(name) + 1)
    # A simple type ends before the next comma or closing bracket, except inside parentheses as in `decimal(10,2)`.
    end, depth = start, 0
    while end < len(text) and (depth or text[end] not in ",>"):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    if end == start:
        raise ValueError(text)
    return DataType(text[start:end]), end


def _parse_nested(name: str, text: str, at: int) -> tuple[DataType, int]:
    parts: list[tuple[str, DataType]] = []
    while text[at] != ">":
        at += text[at] == ","
        label = ""
        if name == "struct":
            label, at = _parse_label(text, at)
        part, at = _parse_type(text, at)
        parts.append((label, part))
    return DataType(name, tuple(parts)), at + 1


def _parse_label(text: str, at: int) -> tuple[str, int]:
    """Return a field name, which ends at the colon before its type or at its closing backtick."""
    if text[at] == "`":
        end = at + 1
        while text[end] != "`" or text[end : end + 2] == "``":
            end += 2 if text[end] == "`" else 1
        return text[at + 1 : end].replace("``", "`"), end + 2
    end = text.index(":", at)
    return text[at:end], end + 1
