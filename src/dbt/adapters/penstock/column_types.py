"""Find out whether a table's column can store values of another type."""

from __future__ import annotations

import re
from typing import Literal

from penstock.sql.data_types import parse

Change = Literal["widens", "fits", "impossible"]

# Delta's type widening: https://docs.delta.io/latest/delta-type-widening.html
WIDER = {
    "tinyint": {"smallint", "int", "bigint", "double"},
    "smallint": {"int", "bigint", "double"},
    "int": {"bigint", "double"},
    "float": {"double"},
    "date": {"timestamp_ntz"},
}
# For each integer type: how many digits before the decimal point a decimal type must have, so that Delta's type
# widening can change a column of the integer type to the decimal type.
DIGITS = {"tinyint": 10, "smallint": 10, "int": 10, "bigint": 20}
DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def widens(old: str, new: str) -> bool:
    """Return whether Delta's type widening can change a column from type `old` to type `new`."""
    if new in WIDER.get(old, ()):
        return True
    wide = DECIMAL.fullmatch(new)
    if not wide:
        return False
    whole, scale = int(wide[1]) - int(wide[2]), int(wide[2])
    if old in DIGITS:
        return whole >= DIGITS[old]
    narrow = DECIMAL.fullmatch(old)
    if not narrow:
        return False
    return whole >= int(narrow[1]) - int(narrow[2]) and scale >= int(narrow[2])


def change(old: str, new: str) -> Change:
    """Return how a table's column of type `old` can store values of type `new`.

    Returns:
        `fits` if the unchanged column can store the values, `widens` if the column can store them after its type was
        altered to `new`, and otherwise `impossible`.
    """
    if parse(old).accepts(parse(new)):
        return "fits"
    old, new = old.lower(), new.lower()
    if widens(old, new):
        return "widens"
    return "fits" if widens(new, old) else "impossible"
