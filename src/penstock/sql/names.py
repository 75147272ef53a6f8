"""Quote identifiers and escape string literals for Spark SQL. SQL models and Python models share these functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = r"`(?:[^`]|``)+`"
QUOTED_PATH = re.compile(rf"{_QUOTED}(?:\.{_QUOTED})*")
# A function call, such as the partition transforms `days(ts)` and `bucket(8, id)`.
CALL = re.compile(r"\w+\(.*\)", re.DOTALL)


def quote_identifier(name: str) -> str:
    """Return a name in backticks. The name may contain any characters."""
    return f"`{name.replace('`', '``')}`"


def string_literal(value: str) -> str:
    """Return a SQL string literal whose value is exactly this text."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def unquote_identifier(name: str) -> str:
    """Return a name without its surrounding backticks; a name without backticks is unchanged."""
    return name[1:-1].replace("``", "`") if re.fullmatch(_QUOTED, name) else name


def without_catalog(name: str) -> str:
    """Return the SQL name of a table or view without its catalog.

    The new name in a RENAME statement must have no catalog, because Spark reads the first of three parts as a schema.
    """
    return ".".join(re.findall(rf"{_QUOTED}|[^`.]+", name)[-2:])


def column_expression(name: str, columns: Iterable[str] | None = None) -> str:
    """Return the SQL expression for a column that a model's configuration names.

    Args:
        name: a column name, quoted or unquoted, a struct field (`address.city`), or an expression. If `columns` is
            None, `name` may also be several column names separated by commas (`a, b`).
        columns: the columns of the table or query, if known. A name that matches none of them is returned unchanged.
    """
    name = name.strip()
    if columns is None:
        if QUOTED_PATH.fullmatch(name) or CALL.fullmatch(name):
            return name
        return ", ".join(quote_identifier(part.strip()) for part in name.split(","))
    by_folded_name = {item.casefold(): item for item in columns}
    match = by_folded_name.get(name.casefold(), by_folded_name.get(unquote_identifier(name).casefold()))
    return name if match is None else quote_identifier(match)
