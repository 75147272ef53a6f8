"""Delta's table features that the columns of a table need, and that Delta enables only when it is told to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from penstock.sql.data_types import parse

# Of a table that exists; a new one gets them by itself. Other types (VARIANT) need no word.
BY_TYPE = {"timestamp_ntz": "timestampNtz"}
# Parquet's own names can't have these; with column mapping a file's names are others than the table's.
REFUSED = re.compile(r"[ ,;{}()\n\t=]")
MAPPING = {"delta.columnMapping.mode": "name"}


def properties(columns: Mapping[str, str], configured: Iterable[str] = ()) -> dict[str, str]:
    """Return the table properties that columns need before Delta takes them.

    Args:
        columns: SQL types by name.
        configured: names of properties that the user sets, which are left to them.
    """
    kinds = [parse(words) for words in columns.values()]
    needed = {
        f"delta.feature.{feature}": "supported"
        for name, feature in BY_TYPE.items()
        if any(kind.has(name) for kind in kinds)
    }
    names = [*columns, *(name for kind in kinds for name in kind.names())]
    if any(REFUSED.search(name) for name in names):
        needed |= MAPPING
    given = {name.lower() for name in configured}
    return {name: value for name, value in needed.items() if name.lower() not in given}
