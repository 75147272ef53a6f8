"""Find the Delta table features that columns require, and the table properties that enable them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from penstock.sql.data_types import parse

# Features to enable on an existing table, by column type. A new table gets these features automatically. For other
# types, such as VARIANT, no feature has to be enabled.
FEATURE_BY_TYPE = {"timestamp_ntz": "timestampNtz"}
# Parquet refuses these characters in column names. With column mapping, the files use other names than the table.
UNSUPPORTED_CHARACTERS = re.compile(r"[ ,;{}()\n\t=]")
COLUMN_MAPPING = {"delta.columnMapping.mode": "name"}


def required_properties(columns: Mapping[str, str], configured: Iterable[str] = ()) -> dict[str, str]:
    """Return the table properties that Delta requires for these columns.

    Args:
        columns: SQL types by column name.
        configured: names of properties that are already set. The result leaves them out.
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
