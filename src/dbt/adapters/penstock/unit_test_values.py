"""Convert the values of unit tests to SQL, according to the types of the columns.

A user writes the value of an array, map or struct as a YAML list or map, as a text with JSON, or as a SQL expression
such as `array(1, 2)`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from dbt_common.exceptions import CompilationError

from dbt.adapters.penstock.errors import AdapterCompilationError
from penstock.sql.names import string_literal, unquote_identifier

NESTED = re.compile(r"\s*(array|map|struct)\s*<(.*)>\s*", re.IGNORECASE | re.DOTALL)
FIELD = re.compile(r"\s*(`(?:[^`]|``)+`|[^`:]+?)\s*(?::|(?<=`)\s)\s*(.*)", re.DOTALL)
SHAPES = {"array": "a list, as in [1, 2]", "map": "a map, as in {a: 1}", "struct": "a map by field, as in {name: x}"}


def value(given: Any, data_type: str, column: str) -> str:
    """Return a SQL expression that casts a value to a column's type.

    Args:
        given: the value, as read from YAML, CSV or JSON.
        data_type: the column's type.
        column: the column's name, for error messages.

    Raises:
        CompilationError: the value does not have the structure of the type.
    """
    nested = NESTED.fullmatch(data_type)
    if given is None or not nested:
        return f"try_cast({_scalar(given, data_type, column)} as {data_type})"
    if isinstance(given, str):
        written = given.strip()
        if not written.startswith(("[", "{")):
            return f"try_cast({written} as {data_type})"
        try:
            given = json.loads(written)
        except ValueError as error:
            raise _invalid_value(column, data_type, f"{written} ({error})") from None
    return f"try_cast({_nested(given, nested[1].lower(), nested[2], data_type, column)} as {data_type})"


def _invalid_value(column: str, data_type: str, found: str) -> CompilationError:
    kind = NESTED.fullmatch(data_type)
    shape = f'{SHAPES[kind[1].lower()]}, or SQL, as in "array(1, 2)"' if kind else "one value"
    return AdapterCompilationError(f"a value of type {data_type} for {column} in a unit test", found, f"write {shape}")


def _scalar(given: Any, data_type: str, column: str) -> str:
    if given is None:
        return "null"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, float) and not math.isfinite(given):
        return string_literal(str(given))
    if isinstance(given, str | date):
        return string_literal(str(given))
    if isinstance(given, list | dict):
        raise _invalid_value(column, data_type, json.dumps(given, default=str))
    return str(given)


def _nested(given: Any, kind: str, inner: str, data_type: str, column: str) -> str:
    if kind == "array" and isinstance(given, list):
        return f"array({', '.join(value(item, inner, column) for item in given)})"
    if not isinstance(given, Mapping) or kind == "array":
        raise _invalid_value(column, data_type, json.dumps(given, default=str))
    if kind == "map":
        key, item = split_types(inner)
        pairs = [f"{value(name, key, column)}, {value(element, item, column)}" for name, element in given.items()]
        return f"map({', '.join(pairs)})"
    fields = dict(field(item) for item in split_types(inner))
    known = {name.casefold() for name in fields}
    if unknown := [str(name) for name in given if str(name).casefold() not in known]:
        raise _invalid_value(column, data_type, f"{', '.join(unknown)}, which it doesn't have")
    values = {str(name).casefold(): element for name, element in given.items()}
    pairs = [
        f"{string_literal(name)}, {value(values.get(name.casefold()), kind, column)}" for name, kind in fields.items()
    ]
    return f"named_struct({', '.join(pairs)})"


def field(item: str) -> tuple[str, str]:
    """Return the name and type of a struct's field from the field's definition."""
    match = FIELD.fullmatch(item)
    if match is None:
        raise ValueError(item)
    return unquote_identifier(match[1]), match[2].strip()


def split_types(inner: str) -> list[str]:
    """Return the parts of a nested type: the text between its angle brackets, split at the outermost commas."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, character in enumerate(inner):
        quoted ^= character == "`"
        if quoted:
            continue
        depth += (character in "<(") - (character in ">)")
        if character == "," and not depth:
            parts.append(inner[start:index])
            start = index + 1
    return [*parts, inner[start:]]
