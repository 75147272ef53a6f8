"""Quote identifiers and escape string literals for Spark SQL. SQL models and Python models share these functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = r"`(?:[^`]|``)+`"
QUOTED_PATH = re.compile(rf"{_QUOTED}(?:\.{_QUOTED})*")
# A partition transform, such as `days(ts)` or `bucket(8, id)`.
CALL = re.compile(r"\w+\(.*\)", re.DOTALL)


def quote_identifier(name: str) -> str:
    """Return a name in backticks, whatever characters it contains."""
    return f"`{name.replace('`', '``')}`"


def string_literal(value: str) -> str:
    """Return text as a SQL string literal that evaluates to exactly this text."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def unquote_identifier(name: str) -> str:
    """Return a name without the backticks around it, if it has any."""
    return name[1:-1].replace("``", "`") if re.fullmatch(_QUOTED, name) else name


def column_expression(name: str, columns: Iterable[str] | None = None) -> str:
    """Return a column named in a model's configuration as a SQL expression.

    Args:
        name: a column, quoted or not; a field of one (`address.city`); an expression; or, when `columns` is
            None, several columns separated by commas (`a, b`).
        columns: the columns of the table or query, when they are known. A name that matches none of them is
            returned unchanged.
    """
    name = name.strip()
    if columns is None:
        if QUOTED_PATH.fullmatch(name) or CALL.fullmatch(name):
            return name
        return ", ".join(quote_identifier(part.strip()) for part in name.split(","))
    by_folded_name = {item.casefold(): item for item in columns}
    match = by_folded_name.get(name.casefold(), by_folded_name.get(unquote_identifier(name).casefold()))
    return name if match is None else quote_identifier(match)
