"""Find the stale intervals of a model. An interval is stale if its inputs have changed since it was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# The version of each input of an interval, by the input's name. A version identifies a landed file or the commit of an
# upstream model.
Inputs = Mapping[str, str]


@dataclass(frozen=True)
class BuiltInterval:
    """The last successful build of an interval.

    Attributes:
        commit_id: the id of the commit that wrote the interval.
        inputs: the versions of the inputs that the build read.
        code: fingerprint of the code that built the interval.
        version: the table version that the commit created.
        rows: the number of the interval's rows; None if they were not counted.
        failed: the number of failed attempts since this build.
    """

    commit_id: str
    inputs: Inputs
    code: str
    version: int
    rows: int | None = None
    failed: int = 0


@dataclass(frozen=True)
class RequestedIntervals:
    """The intervals that a command requests.

    Attributes:
        full_refresh: whether to build all intervals (`--full-refresh`).
        start: the first day of the requested range (`--event-time-start`). Intervals in the range are built even if
            they aren't stale.
        end: the exclusive end of the requested range (`--event-time-end`).
        within: a first day and an exclusive end. Only stale intervals in this range are built.
    """

    full_refresh: bool = False
    start: date | None = None
    end: date | None = None
    within: tuple[date, date] | None = None

    @property
    def has_range(self) -> bool:
        """Whether the command requests a range of intervals."""
        return self.start is not None or self.end is not None

    def in_range(self, interval: date) -> bool:
        """Return whether an interval is in the range that the command names."""
        return (self.start is None or interval >= self.start) and (self.end is None or interval < self.end)

    def allows(self, interval: date) -> bool:
        """Return whether an interval may be built if it is stale."""
        return self.within is None or self.within[0] <= interval < self.within[1]


@dataclass(frozen=True)
class StaleIntervals:
    """The intervals to build.

    Attributes:
        reasons: why each interval is built, in the order of the intervals.
        older_code: the intervals that an older version of the model's code built, and that are not rebuilt.
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
    """Return the intervals to build: the requested intervals or, if the command requests none, the stale intervals.

    Args:
        available: the intervals that the inputs have now, with the versions of the inputs.
        built: the intervals in the model's table.
        code: fingerprint of the model's current code.
        requested: the intervals that the command requests.
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
    """Return why the inputs make an interval stale; empty if they don't make it stale."""
    if interval not in built:
        return "new"
    if interval not in available:
        return "removed"
    now, then = available[interval], built[interval].inputs
    changed = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return f"{', '.join(changed)} changed" if changed else ""
