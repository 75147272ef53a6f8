"""Parse the months in a command's arguments: `2021-01`, `2021-01,2021-03`, `2021-01..2021-06` or `all`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH

ALL = "all"
_MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
_DO = "write 2021-01, a list 2021-01,2021-03, a range 2021-01..2021-06, or all"


def parse_month(text: str) -> date:
    """Parse a month in the form `YYYY-MM`, and return its first day.

    Raises:
        PenstockError: the text is not a month in this form.
    """
    if match := _MONTH.fullmatch(text.strip()):
        return date(int(match[1]), int(match[2]), 1)
    raise PenstockError("a month as YYYY-MM", f"`{text}`", _DO)


def parse_months(arguments: Sequence[str]) -> tuple[date, ...] | None:
    """Return the months that the arguments name, in order and without duplicates, or None for `all`.

    Raises:
        PenstockError: an argument is not a month, a range ends before it starts, no month is named, or `all` is
            combined with months.
    """
    items = [item.strip() for argument in arguments for item in argument.split(",") if item.strip()]
    if not items:
        raise PenstockError("at least one month", "none", _DO)
    if ALL in items:
        if len(items) > 1:
            raise PenstockError("`all` alone, or months", f"`{' '.join(items)}`", _DO)
        return None
    months: set[date] = set()
    for item in items:
        first, dots, last = item.partition("..")
        month, end = parse_month(first), parse_month(last if dots else first)
        if end < month:
            raise PenstockError("a range from the earlier to the later month", f"`{item}`", f"write {last}..{first}")
        while month <= end:
            months.add(month)
            month = GRAINS[MONTH].following(month)
    return tuple(sorted(months))
