"""Arrow types of the catalog's column types, and a type alias for Arrow arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

# In pyarrow's stubs the array class is generic; at run time it is not.
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
    """Return the Arrow schema of columns with catalog types, given by name; every column is nullable."""
    return pa.schema([pa.field(name, ARROW[kind]) for name, kind in columns.items()])
