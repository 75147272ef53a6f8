"""Arrow types of the catalog's column types, and one name for an Arrow array of any type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

# The stubs want an array with a parameter that the class lacks.
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
    """An Arrow schema from column types of the catalog, by name; every column may be null."""
    return pa.schema([pa.field(name, ARROW[kind]) for name, kind in columns.items()])
