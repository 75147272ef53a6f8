"""Months as they are typed on the command line: `2021-01`, `2021-01,2021-03`, `2021-01..2021-06`, `all`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from penstock.errors import PenstockError

ALL = "all"
_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
_DO = "write 2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all"


def parse_month(text: str) -> date:
    """The first day of one month written `YYYY-MM`.

    Raises:
        PenstockError: it is not such a month.
    """
    if match := _MONTH.fullmatch(text.strip()):
        return date(int(match[1]), int(match[2]), 1)
    raise PenstockError("a month as YYYY-MM", f"`{text}`", _DO)


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def parse(words: Sequence[str]) -> tuple[date, ...] | None:
    """The months that the words name, in order, each once; None stands for `all`.

    Raises:
        PenstockError: a word is no month, a range runs backwards, nothing is named, or `all`
            stands beside others.
    """
    pieces = [piece.strip() for word in words for piece in word.split(",") if piece.strip()]
    if not pieces:
        raise PenstockError("at least one month", "none", _DO)
    if ALL in pieces:
        if len(pieces) > 1:
            raise PenstockError("`all` alone, or months", f"`{' '.join(pieces)}`", _DO)
        return None
    found: set[date] = set()
    for piece in pieces:
        first, dots, last = piece.partition("..")
        month, end = parse_month(first), parse_month(last if dots else first)
        if end < month:
            raise PenstockError("a range from the earlier to the later month", f"`{piece}`", f"write {last}..{first}")
        while month <= end:
            found.add(month)
            month = following(month)
    return tuple(sorted(found))
