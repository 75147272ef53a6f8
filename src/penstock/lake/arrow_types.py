"""The Arrow type of each column type in `lake.yml`, and a type alias for Arrow arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

# The array class is generic in pyarrow's type stubs, but not at run time.
if TYPE_CHECKING:
    Values = pa.Array[Any]
else:
    Values = pa.Array

ARROW: dict[str, pa.DataType] = {
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "money": pa.decimal128(12, 2),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def schema(columns: Mapping[str, str]) -> pa.Schema:
    """Return an Arrow schema in which all columns are nullable.

    Args:
        columns: the column type, as in `lake.yml`, by column name.
    """
    return pa.schema([pa.field(name, ARROW[kind]) for name, kind in columns.items()])
