"""Table properties that enable the Delta table features some columns require."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from penstock.sql.data_types import parse

# Features to enable on an existing table; a new table gets them automatically. Other types (VARIANT) need nothing.
FEATURE_BY_TYPE = {"timestamp_ntz": "timestampNtz"}
# Parquet refuses these characters in names. With column mapping, names in files differ from names in the table.
UNSUPPORTED_CHARACTERS = re.compile(r"[ ,;{}()\n\t=]")
COLUMN_MAPPING = {"delta.columnMapping.mode": "name"}


def required_properties(columns: Mapping[str, str], configured: Iterable[str] = ()) -> dict[str, str]:
    """Return the table properties to set before Delta accepts these columns.

    Args:
        columns: SQL types by column name.
        configured: names of properties that the user sets. They are left out of the result.
    """
    types = [parse(data_type) for data_type in columns.values()]
    required = {
        f"delta.feature.{feature}": "supported"
        for name, feature in FEATURE_BY_TYPE.items()
        if any(data_type.contains(name) for data_type in types)
    }
    names = [*columns, *(name for data_type in types for name in data_type.field_names())]
    if any(UNSUPPORTED_CHARACTERS.search(name) for name in names):
        required |= COLUMN_MAPPING
    ignored = {name.lower() for name in configured}
    return {name: value for name, value in required.items() if name.lower() not in ignored}
