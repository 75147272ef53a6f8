"""Casting a column from whatever its era wrote to the dataset's landed type, or refusing it by row.

A parquet column must be of the right kind already (a number for a number); only its width may
differ. A CSV column is text and is parsed; empty text is null. Nothing is cut or guessed: a value
that the landed type can't hold ends the landing with the column, the row and the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penstock.errors import PenstockError
from penstock.lake.arrow_types import ARROW, Values
from penstock.lake.catalog import ColumnType
from penstock.lake.money import from_cents, to_cents

Test = Callable[[pa.DataType], bool]
_NUMBER: Test = lambda t: pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)  # noqa: E731
# Kinds of source columns that may become a landed type, besides null-typed ones and text of a CSV.
ACCEPTED: dict[str, Test] = {
    "int": _NUMBER,
    "bigint": _NUMBER,
    "double": _NUMBER,
    "money": _NUMBER,
    "string": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t),
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "timestamp": lambda t: pa.types.is_timestamp(t) and t.tz is None,
}
NEEDED = {
    "int": "whole numbers within ±2,147,483,647",
    "bigint": "whole 64-bit numbers",
    "double": "numbers",
    "money": "amounts below 10,000,000,000.00",
    "string": "text in UTF-8",
    "boolean": "true or false",
    "date": "dates as 2021-01-31",
    "timestamp": "times as 2021-01-01 00:15:56, to the microsecond, without a zone",
}


@dataclass(frozen=True)
class Target:
    """A column to cast to, and how to speak of it.

    Attributes:
        file: name of the source file, for messages.
        column: name of the landed column.
        type: its landed type.
    """

    file: str
    column: str
    type: ColumnType


def _plain_type(source: pa.DataType) -> pa.DataType:
    """The type of the values, whether or not they are dictionary-encoded."""
    return source.value_type if isinstance(source, pa.DictionaryType) else source


def check_kind(source: pa.DataType, target: Target) -> None:
    """Refuse a parquet column of the wrong kind before any row is read.

    Raises:
        PenstockError: with the column, the type found and the type needed.
    """
    plain = _plain_type(source)
    if not pa.types.is_null(plain) and not ACCEPTED[target.type](plain):
        needed = f"column `{target.column}` of {target.file} as {NEEDED[target.type]} ({target.type})"
        raise PenstockError(needed, f"type {source}", f"check the file, or correct the type of `{target.column}`")


def cast(array: Values, target: Target, first_row: int, *, text: bool) -> tuple[Values, int]:
    """A column's piece in its landed type.

    Args:
        array: the source's values, of any kind that `check_kind` lets pass, or strings when `text`.
        first_row: position in the file of the first value; the file's first row is 1.
        text: the values are the text of a CSV file.

    Returns:
        (the cast values, how many money values were no whole cents).

    Raises:
        PenstockError: a value can't be held; the column, its row in the file and the value are named.
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(_plain_type(array.type))
    if pa.types.is_null(array.type):
        return pa.nulls(len(array)).cast(ARROW[target.type]), 0
    if target.type == "money":
        return _money(_convert(array, _doubles, target, first_row), array, target, first_row)
    return _convert(array, _parsers[target.type] if text else _plain(target.type), target, first_row), 0


def _money(doubles: Values, source: Values, target: Target, first_row: int) -> tuple[Values, int]:
    valid = np.asarray(doubles.is_valid())
    cents, rounded, wrong = to_cents(np.asarray(doubles.fill_null(0.0)), valid)
    if wrong is not None:
        raise _refusal(source, wrong, target, first_row)
    return from_cents(cents, valid), rounded


def _refusal(array: Values, index: int, target: Target, first_row: int) -> PenstockError:
    return PenstockError(
        f"column `{target.column}` of {target.file} as {NEEDED[target.type]}",
        f"`{_shown(array[index])}` in row {first_row + index:,}",
        f"correct the file, or the type of `{target.column}` in lake.yml",
    )


def _shown(value: Any) -> str:
    """A value in words: also text that is no UTF-8, and a time beyond Python's years."""
    try:
        return str(value.as_py()).encode("utf-8", "backslashreplace").decode()
    except UnicodeDecodeError:
        return repr(value.as_buffer().to_pybytes())[2:-1]
    except (OverflowError, ValueError):
        return f"{value.value} {value.type.unit} since 1970"


def _whole_text(array: Values) -> Values:
    """Text as it is, once all of it is UTF-8: a parquet file's is not checked as it is read."""
    text = array.cast(pa.string())
    text.validate(full=True)
    return text


def _convert(array: Values, how: Callable[[Values], Values], target: Target, first_row: int) -> Values:
    """Apply a cast to all values; when it fails, find the first one that does by halving."""
    try:
        return how(array)
    except pa.ArrowInvalid:
        low, high = 0, len(array)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                how(array[low:middle])
                low = middle
            except pa.ArrowInvalid:
                high = middle
        raise _refusal(array, low, target, first_row) from None


def _plain(kind: str) -> Callable[[Values], Values]:
    if kind == "string":
        return _whole_text
    return lambda array: array.cast(ARROW[kind], safe=True)


def _doubles(array: Values) -> Values:
    """Amounts as doubles: those of narrower floats, decimals and text by their decimal text."""
    if pa.types.is_float32(array.type) or pa.types.is_float16(array.type) or pa.types.is_decimal(array.type):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = _text(array)
    # A whole number beyond 2^53 can't be an amount; unsafe keeps it big, and the range check refuses it.
    return array.cast(pa.float64(), safe=not pa.types.is_integer(array.type))


def _text(array: Values) -> Values:
    """Trimmed text; null where nothing is left."""
    return _empty_to_null(pc.ascii_trim_whitespace(array))


def _empty_to_null(array: Values) -> Values:
    blank = pc.equal(array, pa.scalar("", array.type))
    result: Values = pc.if_else(blank, pa.scalar(None, array.type), array)
    return result


def _text_to_whole(kind: str) -> Callable[[Values], Values]:
    """Whole numbers, also written as `1.0`, which is what a column with nulls looks like in some eras."""

    def parse(array: Values) -> Values:
        return pc.replace_substring_regex(_text(array), r"\.0*$", "").cast(ARROW[kind])

    return parse


def _text_to_timestamp(array: Values) -> Values:
    # The times are local; a trailing Z is a habit of the tool that wrote the file, not a zone.
    return pc.replace_substring_regex(_text(array), "[Zz]$", "").cast(pa.timestamp("us"))


_parsers: dict[str, Callable[[Values], Values]] = {
    "int": _text_to_whole("int"),
    "bigint": _text_to_whole("bigint"),
    "double": lambda array: _text(array).cast(pa.float64()),
    "string": lambda array: _empty_to_null(array).cast(pa.string()),
    "boolean": lambda array: _text(array).cast(pa.bool_()),
    "date": lambda array: _text(array).cast(pa.date32()),
    "timestamp": _text_to_timestamp,
}
