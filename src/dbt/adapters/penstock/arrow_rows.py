"""Convert Arrow results of Spark Connect to the column types and Python values that dbt gets over Thrift.

Spark's Thrift server sends dates, intervals, arrays, maps and structs as text, and PyHive converts decimals and
timestamps to Python values. The macros of dbt and of packages expect values in this form. This module writes nested
values as Spark's class HiveResult does:
https://github.com/apache/spark/blob/v4.1.0/sql/core/src/main/scala/org/apache/spark/sql/execution/HiveResult.scala
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# For each column: the name, Thrift's name of the type, and five fields that DB-API requires but dbt doesn't read.
Description = list[tuple[str, str, None, None, None, None, bool]]
# Java writes floating-point numbers outside of these bounds with an exponent.
SMALLEST_PLAIN, SMALLEST_EXPONENT = 1e-3, 1e7
THRIFT_TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "BOOLEAN_TYPE"),
    (pa.types.is_int8, "TINYINT_TYPE"),
    (pa.types.is_int16, "SMALLINT_TYPE"),
    (pa.types.is_int32, "INT_TYPE"),
    (pa.types.is_int64, "BIGINT_TYPE"),
    (pa.types.is_float32, "FLOAT_TYPE"),
    (pa.types.is_float64, "DOUBLE_TYPE"),
    (pa.types.is_decimal, "DECIMAL_TYPE"),
    (pa.types.is_binary, "BINARY_TYPE"),
    (pa.types.is_large_binary, "BINARY_TYPE"),
    (pa.types.is_date, "DATE_TYPE"),
    (pa.types.is_timestamp, "TIMESTAMP_TYPE"),
    (pa.types.is_duration, "INTERVAL_DAY_TIME_TYPE"),
    (pa.types.is_list, "ARRAY_TYPE"),
    (pa.types.is_map, "MAP_TYPE"),
    (pa.types.is_struct, "STRUCT_TYPE"),
    (pa.types.is_null, "NULL_TYPE"),
)


def description(schema: pa.Schema) -> Description:
    """Return the description of a result's columns. A result without columns gets one column `Result`, as in Thrift.

    Args:
        schema: the result's Arrow schema.
    """
    named = [(field.name, _thrift_type(field.type)) for field in schema] or [("Result", "STRING_TYPE")]
    return [(name, kind, None, None, None, None, True) for name, kind in named]


def rows(batches: Iterable[pa.RecordBatch]) -> list[tuple[Any, ...]]:
    """Return the rows of record batches as tuples of Python values."""
    found: list[tuple[Any, ...]] = []
    for batch in batches:
        found += zip(*(_values(column) for column in batch.columns), strict=True)
    return found


def _thrift_type(data_type: pa.DataType) -> str:
    return next((name for is_type, name in THRIFT_TYPES if is_type(data_type)), "STRING_TYPE")


def _values(column: pa.Array[Any]) -> list[Any]:
    """Return the values of a column in the form in which dbt gets values of this type over Thrift."""
    data_type = column.type
    if pa.types.is_timestamp(data_type):
        return _local(column).to_pylist()
    if pa.types.is_float32(data_type):
        # Thrift has no 32-bit floating-point type. Spark's Thrift server converts the number's text, so that 0.1 stays
        # 0.1.
        return [None if value is None else float(str(value)) for value in _float32(column)]
    if _thrift_type(data_type).startswith(("DATE", "INTERVAL", "ARRAY", "MAP", "STRUCT")) or _is_other(data_type):
        return [_text(value, nested=False) for value in column]
    return column.to_pylist()


def _is_other(data_type: pa.DataType) -> bool:
    """Return whether a type is an interval or a time of day. Thrift sends these as text, although they are not text."""
    return _thrift_type(data_type) == "STRING_TYPE" and not (
        pa.types.is_string(data_type) or pa.types.is_large_string(data_type)
    )


def _local(column: Any) -> Any:
    """Return timestamps without a time zone: the local time in the time zone of the session."""
    return pc.local_timestamp(column) if column.type.tz else column


def _float32(column: pa.Array[Any]) -> Sequence[Any]:
    return [None if value is None else np.float32(value) for value in column.to_pylist()]


def _text(value: Any, nested: bool = True) -> str | None:
    """Return a value as Spark's Thrift server writes it. Text inside an array, map or struct has quotes."""
    data_type = value.type
    if not value.is_valid:
        return "null" if nested else None
    if pa.types.is_list(data_type):
        return f"[{','.join(str(_text(item)) for item in value.values)}]"
    if pa.types.is_map(data_type):
        pairs = (f"{_text(pair[0])}:{_text(pair[1])}" for pair in value.values)
        return f"{{{','.join(sorted(pairs))}}}"
    if pa.types.is_struct(data_type):
        fields = (f'"{data_type.field(at).name}":{_text(value[at])}' for at in range(data_type.num_fields))
        return f"{{{','.join(fields)}}}"
    return _leaf_text(value)


def _leaf_text(value: Any) -> str:
    """Return the text of a value that is neither null nor an array, map or struct."""
    data_type = value.type
    if pa.types.is_date(data_type):
        day = str(np.datetime64(value.value, "D"))
        return f"+{day}" if len(day) > len("9999-12-31") and not day.startswith("-") else day
    if pa.types.is_timestamp(data_type):
        return _timestamp_text(_local(pa.array([value.as_py()], data_type))[0].as_py())
    if pa.types.is_duration(data_type):
        return _day_time_text(value.value)
    if pa.types.is_float32(data_type):
        return _java_number(np.float32(value.as_py()))
    if pa.types.is_float64(data_type):
        return _java_number(np.float64(value.as_py()))
    plain = value.as_py()
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str):
        return f'"{plain}"'
    if isinstance(plain, bytes):
        return plain.decode(errors="replace")
    if isinstance(plain, Decimal):
        return format(plain, "f")
    if isinstance(plain, pa.MonthDayNano):
        return _calendar_text(plain)
    return str(plain)


def _timestamp_text(value: datetime) -> str:
    """Return a timestamp without the zeros at the end of its fraction."""
    text = value.isoformat(sep=" ")
    return text.rstrip("0") if "." in text else text


def _java_number(value: np.floating[Any]) -> str:
    """Return a floating-point number as Java writes it, for example `1.0E10`."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or SMALLEST_PLAIN <= abs(value) < SMALLEST_EXPONENT:
        return np.format_float_positional(value, unique=True, trim="0")
    mantissa, exponent = np.format_float_scientific(value, unique=True, trim="0").split("e")
    return f"{mantissa}E{int(exponent)}"


def _day_time_text(microseconds: int) -> str:
    """Return the text of an interval of days and seconds, such as `1 02:03:04.000000000`."""
    sign = "-" if microseconds < 0 else ""
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{sign}{days} {hour:02}:{minute:02}:{second:02}.{fraction:06}000"


def _calendar_text(value: pa.MonthDayNano) -> str:
    """Return the text of a calendar interval, such as `1 years 2 months 21 days`."""

    def split(total: int, *sizes: int) -> list[int]:
        """Split a number into parts that all have the number's sign, as Java's division does."""
        parts, rest = [], abs(total)
        for size in sizes:
            whole, rest = divmod(rest, size)
            parts.append(whole if total >= 0 else -whole)
        return [*parts, rest if total >= 0 else -rest]

    years, months = split(value.months, 12)
    hours, minutes, microseconds = split(int(value.nanoseconds / 1000), 3_600_000_000, 60_000_000)
    units = [(years, "years"), (months, "months"), (value.days, "days"), (hours, "hours"), (minutes, "minutes")]
    parts = [f"{number} {unit}" for number, unit in units if number]
    if microseconds:
        parts.append(f"{format((Decimal(microseconds) / 1_000_000).normalize(), 'f')} seconds")
    return " ".join(parts) or "0 seconds"
