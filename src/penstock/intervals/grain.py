"""Intervals: months or days, identified by their first day. Functions for their names, order and SQL conditions."""

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
    """The length of an interval: `month` or `day`."""

    name: str

    def start(self, day: date) -> date:
        """Return the interval that contains a day."""
        return day.replace(day=1) if self.name == MONTH else day

    def following(self, start: date) -> date:
        """Return the next interval."""
        if self.name == DAY:
            return start + timedelta(days=1)
        return date(start.year + start.month // 12, start.month % 12 + 1, 1)

    def show(self, start: date) -> str:
        """Return an interval as text: `2024-01`, or `2024-01-31` for a day."""
        return f"{start:%Y-%m}" if self.name == MONTH else start.isoformat()

    def overlapping(self, start: date, other: Grain) -> Iterator[date]:
        """Yield the intervals of this grain that share days with an interval of another grain."""
        end = other.following(start)
        interval = self.start(start)
        while interval < end:
            yield interval
            interval = self.following(interval)


GRAINS = {name: Grain(name) for name in (MONTH, DAY)}


def ranges_of(intervals: Iterable[date], grain: Grain) -> list[tuple[date, date]]:
    """Return (first, last) of each range of consecutive intervals, in order."""
    ranges: list[tuple[date, date]] = []
    for start in sorted(set(intervals)):
        if ranges and grain.following(ranges[-1][1]) == start:
            ranges[-1] = (ranges[-1][0], start)
        else:
            ranges.append((start, start))
    return ranges


def format_intervals(intervals: Iterable[date], grain: Grain) -> str:
    """Return intervals as text, consecutive ones as a range: `2024-01..2024-03, 2024-05`; `none` without intervals."""
    parts = [
        grain.show(first) if first == last else f"{grain.show(first)}..{grain.show(last)}"
        for first, last in ranges_of(intervals, grain)
    ]
    return ", ".join(parts) or "none"


def condition(column: str, intervals: Iterable[date], grain: Grain) -> str:
    """Return the SQL condition that selects the rows of some intervals. The column is a date or a timestamp.

    The condition has ranges and no list of days: ranges also work for timestamps, and they let Spark prune partitions.
    """
    parts = [
        f"{column} >= date'{first.isoformat()}' and {column} < date'{grain.following(last).isoformat()}'"
        for first, last in ranges_of(intervals, grain)
    ]
    if not parts:
        return "false"
    return f"({parts[0]})" if len(parts) == 1 else "(" + " or ".join(f"({part})" for part in parts) + ")"


def parse_day(text: str) -> date:
    """Parse a month or a day, such as `2024-01` or `2024-01-31`. For a month, return its first day.

    Raises:
        PenstockError: the text is neither a month nor a day.
    """
    if match := _DATE.fullmatch(text.strip()):
        try:
            return date(int(match[1]), int(match[2]), int(match[3] or 1))
        except ValueError:
            pass
    raise PenstockError("a month as 2024-01, or a day as 2024-01-31", f"`{text}`", "correct it")


def parse_days(text: str) -> tuple[date, date]:
    """Return the first day of a range, and the day after the last day of the range.

    Args:
        text: as `2024-01`, `2024-01..2024-03` or `2024-01-05..2024-01-07`.

    Raises:
        PenstockError: the text is not a range, or its end is before its start.
    """
    first, dots, last = text.strip().partition("..")
    last = (last if dots else first).strip()
    begin, final = parse_day(first), parse_day(last)
    end = GRAINS[MONTH if len(last) == len("2024-01") else DAY].following(final)
    if end <= begin:
        raise PenstockError("a range from the earlier to the later interval", f"`{text}`", f"write {last}..{first}")
    return begin, end
