"""Names and text as SQL writes them: the one place that quotes and escapes, for SQL and Python models alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

_QUOTED = r"`(?:[^`]|``)+`"
QUOTED = re.compile(rf"{_QUOTED}(?:\.{_QUOTED})*")
# A partition's transform, as in `days(ts)` or `bucket(8, id)`.
CALL = re.compile(r"\w+\(.*\)", re.DOTALL)


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return f"`{name.replace('`', '``')}`"


def text(value: str) -> str:
    """Text as a SQL literal, which stands for it character by character."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def plain(name: str) -> str:
    """A name without the quotes that its author put around it."""
    whole = re.fullmatch(_QUOTED, name)
    return name[1:-1].replace("``", "`") if whole else name


def column(name: str, columns: Iterable[str] | None = None) -> str:
    """A column that a configuration names, as SQL takes it.

    Args:
        name: a column, quoted by its author or not; a field of one (`address.city`); an expression; or, where the
            columns aren't known, several columns in one text (`a, b`).
        columns: those of the table or query where they are known: what is none of them stays as it is.
    """
    name = name.strip()
    if columns is None:
        if QUOTED.fullmatch(name) or CALL.fullmatch(name):
            return name
        return ", ".join(quoted(part.strip()) for part in name.split(","))
    known = {item.casefold(): item for item in columns}
    found = known.get(name.casefold(), known.get(plain(name).casefold()))
    return name if found is None else quoted(found)
