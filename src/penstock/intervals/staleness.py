"""Which intervals of a model are stale: their inputs are not what they were built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# By input, what identifies its rows of an interval: a landed file, or the commit of another model.
Inputs = Mapping[str, str]


@dataclass(frozen=True)
class BuiltInterval:
    """An interval as it was last built.

    Attributes:
        commit_id: id of the commit that wrote it.
        inputs: what it was built from.
        code: fingerprint of the model's code at that time.
        version: Delta version of the model's table that holds its rows.
        rows: how many rows it has; None when they were not counted.
        failed: failed attempts since then.
    """

    commit_id: str
    inputs: Inputs
    code: str
    version: int
    rows: int | None = None
    failed: int = 0


@dataclass(frozen=True)
class RequestedIntervals:
    """The intervals that a command names.

    Attributes:
        full_refresh: all of them (`--full-refresh`).
        start, end: those from `start` up to, not including, `end`, stale or not (`--event-time-start`,
            `--event-time-end`).
        within: of the stale ones, only those from the first day up to, not including, the second.
    """

    full_refresh: bool = False
    start: date | None = None
    end: date | None = None
    within: tuple[date, date] | None = None

    @property
    def has_range(self) -> bool:
        """Whether the command names a range of intervals."""
        return self.start is not None or self.end is not None

    def in_range(self, interval: date) -> bool:
        """Return whether an interval is in the range that the command names."""
        return (self.start is None or interval >= self.start) and (self.end is None or interval < self.end)

    def allows(self, interval: date) -> bool:
        """Return whether an interval may be built when it is stale."""
        return self.within is None or self.within[0] <= interval < self.within[1]


@dataclass(frozen=True)
class StaleIntervals:
    """The intervals to build.

    Attributes:
        reasons: why each is built, in order of the intervals.
        older_code: intervals that stay as an older version of the model's code built them.
    """

    reasons: dict[date, str] = field(default_factory=dict)
    older_code: tuple[date, ...] = ()


def find_stale(
    available: Mapping[date, Inputs],
    built: Mapping[date, BuiltInterval],
    code: str,
    requested: RequestedIntervals,
    rebuild: bool,
) -> StaleIntervals:
    """Return the intervals to build: the requested ones, or else the stale ones.

    Args:
        available: the intervals that the inputs have now.
        built: those that the model's table holds.
        code: fingerprint of the model's code now.
        requested: what the command names.
        rebuild: whether changed code makes an interval stale.
    """
    reasons: dict[date, str] = {}
    older_code = []
    for interval in sorted({*available, *built}):
        reason = _input_reason(interval, available, built)
        code_changed = interval in built and interval in available and built[interval].code != code
        if requested.full_refresh:
            reason = "full refresh"
        elif requested.has_range:
            reason = "asked for" if requested.in_range(interval) else ""
        elif not reason and code_changed and rebuild:
            reason = "code changed"
        if reason and requested.allows(interval):
            reasons[interval] = reason
        elif code_changed:
            older_code.append(interval)
    return StaleIntervals(reasons, tuple(older_code))


def _input_reason(interval: date, available: Mapping[date, Inputs], built: Mapping[date, BuiltInterval]) -> str:
    """Return why an interval's inputs make it stale; empty when they don't."""
    if interval not in built:
        return "new"
    if interval not in available:
        return "removed"
    now, then = available[interval], built[interval].inputs
    changed = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return f"{', '.join(changed)} changed" if changed else ""
