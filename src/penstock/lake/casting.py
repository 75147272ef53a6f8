"""Cast a column of a source file to the landed type: the type that `lake.yml` declares for the column.

A parquet column must already have a similar type. For example, any numeric type can be cast to `int`, but text
cannot. A CSV column is text, which is parsed. Empty text becomes null. No value is truncated or guessed. If the landed
type can't hold a value, landing fails with an error that names the column, the row and the value.
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
# For each landed type, a test for the types of parquet columns that can be cast to the landed type. A column of Arrow's
# null type can be cast to every landed type.
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
class TargetColumn:
    """The landed column that a source column is cast to.

    Attributes:
        file: name of the source file, for error messages.
        column: name of the landed column.
        type: type of the landed column.
    """

    file: str
    column: str
    type: ColumnType


def _plain_type(source: pa.DataType) -> pa.DataType:
    """Return the type of a column's values. For a dictionary-encoded column, it is the dictionary's value type."""
    return source.value_type if isinstance(source, pa.DictionaryType) else source


def check_type(source: pa.DataType, target: TargetColumn) -> None:
    """Refuse a parquet column of the wrong type before any row is read.

    Raises:
        PenstockError: the type is wrong. The message names the column, its type and the required type.
    """
    plain = _plain_type(source)
    if not pa.types.is_null(plain) and not ACCEPTED[target.type](plain):
        needed = f"column `{target.column}` of {target.file} as {NEEDED[target.type]} ({target.type})"
        do = f"check the file, or correct the type of `{target.column}`"
        raise PenstockError(needed, f"type {source}", do, entry="a-value-doesnt-fit-its-type")


def cast(array: Values, target: TargetColumn, first_row: int, *, text: bool) -> tuple[Values, int]:
    """Cast some values of a column to its landed type.

    Args:
        array: values from the source file. They are strings if `text` is true. Otherwise, `check_type` must accept
            their type.
        target: the landed column.
        first_row: row number of the first value. The first row of a file has the number 1.
        text: whether the values are text from a CSV file.

    Returns:
        (cast values, number of money values that were not whole cents).

    Raises:
        PenstockError: the landed type can't hold a value. The message names the column, the row and the value.
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(_plain_type(array.type))
    if pa.types.is_null(array.type):
        return pa.nulls(len(array)).cast(ARROW[target.type]), 0
    if target.type == "money":
        return _money(_convert(array, _doubles, target, first_row), array, target, first_row)
    return _convert(array, _parsers[target.type] if text else _caster(target.type), target, first_row), 0


def _money(doubles: Values, source: Values, target: TargetColumn, first_row: int) -> tuple[Values, int]:
    valid = np.asarray(doubles.is_valid())
    cents, rounded, invalid = to_cents(np.asarray(doubles.fill_null(0.0)), valid)
    if invalid is not None:
        raise _value_error(source, invalid, target, first_row)
    return from_cents(cents, valid), rounded


def _value_error(array: Values, index: int, target: TargetColumn, first_row: int) -> PenstockError:
    return PenstockError(
        f"column `{target.column}` of {target.file} as {NEEDED[target.type]}",
        f"`{_display(array[index])}` in row {first_row + index:,}",
        f"correct the file, or the type of `{target.column}` in lake.yml",
        entry="a-value-doesnt-fit-its-type",
    )


def _display(value: Any) -> str:
    """Return a value as text, even if it is not valid UTF-8, or a time that Python's datetime can't represent."""
    try:
        return str(value.as_py()).encode("utf-8", "backslashreplace").decode()
    except UnicodeDecodeError:
        return repr(value.as_buffer().to_pybytes())[2:-1]
    except (OverflowError, ValueError):
        return f"{value.value} {value.type.unit} since 1970"


def _validated_text(array: Values) -> Values:
    """Check that text is valid UTF-8, and return the text. pyarrow doesn't check UTF-8 when it reads parquet."""
    text = array.cast(pa.string())
    text.validate(full=True)
    return text


def _convert(array: Values, convert: Callable[[Values], Values], target: TargetColumn, first_row: int) -> Values:
    """Apply a conversion to all values. If it fails, find the first value that can't be converted, by bisection."""
    try:
        return convert(array)
    except pa.ArrowInvalid:
        low, high = 0, len(array)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                convert(array[low:middle])
                low = middle
            except pa.ArrowInvalid:
                high = middle
        raise _value_error(array, low, target, first_row) from None


def _caster(kind: str) -> Callable[[Values], Values]:
    if kind == "string":
        return _validated_text
    return lambda array: array.cast(ARROW[kind], safe=True)


def _doubles(array: Values) -> Values:
    """Return amounts as doubles. float16, float32 and decimals are converted to text first, to keep their digits."""
    if pa.types.is_float32(array.type) or pa.types.is_float16(array.type) or pa.types.is_decimal(array.type):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = _text(array)
    # A safe cast would fail for integers above 2^53. No safe cast is needed: such integers are too large for money, so
    # the range check of `to_cents` refuses them.
    return array.cast(pa.float64(), safe=not pa.types.is_integer(array.type))


def _text(array: Values) -> Values:
    """Return text without surrounding blanks. Text that contains only blanks becomes null."""
    return _empty_to_null(pc.ascii_trim_whitespace(array))


def _empty_to_null(array: Values) -> Values:
    blank = pc.equal(array, pa.scalar("", array.type))
    result: Values = pc.if_else(blank, pa.scalar(None, array.type), array)
    return result


def _text_to_integer(kind: str) -> Callable[[Values], Values]:
    """Return a parser of integers. The parser also accepts `1.0`, because some publishers write integers like this."""

    def parse(array: Values) -> Values:
        return pc.replace_substring_regex(_text(array), r"\.0*$", "").cast(ARROW[kind])

    return parse


def _text_to_timestamp(array: Values) -> Values:
    # All times are local times. Ignore a trailing Z: a tool that wrote some of the files adds it to local times.
    return pc.replace_substring_regex(_text(array), "[Zz]$", "").cast(pa.timestamp("us"))


_parsers: dict[str, Callable[[Values], Values]] = {
    "int": _text_to_integer("int"),
    "bigint": _text_to_integer("bigint"),
    "double": lambda array: _text(array).cast(pa.float64()),
    "string": lambda array: _empty_to_null(array).cast(pa.string()),
    "boolean": lambda array: _text(array).cast(pa.bool_()),
    "date": lambda array: _text(array).cast(pa.date32()),
    "timestamp": _text_to_timestamp,
}
