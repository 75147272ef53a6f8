"""Intervals: months or days, known by their first day; their names, their order, their SQL conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from penstock.errors import PenstockError

DAY, MONTH = "day", "month"
_DATE = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?")


@dataclass(frozen=True)
class Grain:
    """How long an interval is: `month` or `day`. An interval is named by its first day."""

    name: str

    def start(self, day: date) -> date:
        """The interval that a day falls in."""
        return day.replace(day=1) if self.name == MONTH else day

    def following(self, start: date) -> date:
        """The next interval, which is where this one ends."""
        if self.name == DAY:
            return start + timedelta(days=1)
        return date(start.year + start.month // 12, start.month % 12 + 1, 1)

    def show(self, start: date) -> str:
        """An interval as it is typed: `2024-01`, or `2024-01-31` for a day."""
        return f"{start:%Y-%m}" if self.name == MONTH else start.isoformat()

    def of(self, start: date, other: Grain) -> Iterator[date]:
        """The intervals of this grain that share days with one of another grain."""
        end = other.following(start)
        inside = self.start(start)
        while inside < end:
            yield inside
            inside = self.following(inside)


GRAINS = {name: Grain(name) for name in (MONTH, DAY)}


def runs(intervals: Iterable[date], grain: Grain) -> list[tuple[date, date]]:
    """(first, last) of each run of neighbours, in order."""
    found: list[tuple[date, date]] = []
    for start in sorted(set(intervals)):
        if found and grain.following(found[-1][1]) == start:
            found[-1] = (found[-1][0], start)
        else:
            found.append((start, start))
    return found


def shown(intervals: Iterable[date], grain: Grain) -> str:
    """Intervals as text, neighbours drawn together: `2024-01..2024-03, 2024-05`; `none` without any."""
    parts = [
        grain.show(first) if first == last else f"{grain.show(first)}..{grain.show(last)}"
        for first, last in runs(intervals, grain)
    ]
    return ", ".join(parts) or "none"


def condition(column: str, intervals: Iterable[date], grain: Grain) -> str:
    """SQL that holds for the rows of these intervals; the column is a DATE or a timestamp.

    Ranges, not a list of days: they hold for a time of day too, and Spark prunes partitions by them.
    """
    parts = [
        f"{column} >= date'{first.isoformat()}' and {column} < date'{grain.following(last).isoformat()}'"
        for first, last in runs(intervals, grain)
    ]
    if not parts:
        return "false"
    return f"({parts[0]})" if len(parts) == 1 else "(" + " or ".join(f"({part})" for part in parts) + ")"


def parse_day(text: str) -> date:
    """The first day of `2024-01`, or the day `2024-01-31`.

    Raises:
        PenstockError: it is neither.
    """
    if match := _DATE.fullmatch(text.strip()):
        try:
            return date(int(match[1]), int(match[2]), int(match[3] or 1))
        except ValueError:
            pass
    raise PenstockError("a month as 2024-01, or a day as 2024-01-31", f"`{text}`", "correct it")


def parse_days(text: str) -> tuple[date, date]:
    """The days of `2024-01`, `2024-01..2024-03` or `2024-01-05..2024-01-07`: the first, and the one after the last.

    Raises:
        PenstockError: it is no such range, or one that runs backwards.
    """
    first, dots, last = text.strip().partition("..")
    last = (last if dots else first).strip()
    begin, final = parse_day(first), parse_day(last)
    end = GRAINS[MONTH if len(last) == len("2024-01") else DAY].following(final)
    if end <= begin:
        raise PenstockError("a range from the earlier to the later interval", f"`{text}`", f"write {last}..{first}")
    return begin, end
