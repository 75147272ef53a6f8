"""Which intervals a run builds: those asked for, else those whose inputs are not what they were built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# By input, what identifies its rows of an interval: a landed file, or the batch of another model.
Inputs = Mapping[str, str]


@dataclass(frozen=True)
class Built:
    """An interval as it was last built.

    Attributes:
        batch: id of the commit's batch.
        inputs: what it was built from.
        code: fingerprint of the model's code then.
        version: Delta version of the model's table that holds its rows.
        rows: how many rows it has; None when nobody counted.
        failed: attempts since then that came to nothing.
    """

    batch: str
    inputs: Inputs
    code: str
    version: int
    rows: int | None = None
    failed: int = 0


@dataclass(frozen=True)
class Asked:
    """What the command says of intervals.

    Attributes:
        full: all of them (`--full-refresh`).
        start, end: those from `start` up to, not with, `end`, changed or not (`--event-time-start`,
            `--event-time-end`).
        within: of those that changed, only the ones from the first day up to, not with, the second.
    """

    full: bool = False
    start: date | None = None
    end: date | None = None
    within: tuple[date, date] | None = None

    @property
    def given(self) -> bool:
        """Whether intervals are named."""
        return self.start is not None or self.end is not None

    def names(self, interval: date) -> bool:
        """Whether an interval is among those named."""
        return (self.start is None or interval >= self.start) and (self.end is None or interval < self.end)

    def allows(self, interval: date) -> bool:
        """Whether an interval may be built when it changed."""
        return self.within is None or self.within[0] <= interval < self.within[1]


@dataclass(frozen=True)
class Choice:
    """The intervals to build, in order, each with why; and those whose code is another one today."""

    build: dict[date, str] = field(default_factory=dict)
    outdated: tuple[date, ...] = ()


def choose(
    wanted: Mapping[date, Inputs], built: Mapping[date, Built], code: str, asked: Asked, rebuild: bool
) -> Choice:
    """Which intervals to build.

    Args:
        wanted: the intervals that the inputs have now.
        built: those that the model's table holds.
        code: fingerprint of the model's code now.
        asked: what the command says.
        rebuild: whether another code is a reason to build.
    """
    reasons: dict[date, str] = {}
    outdated = []
    for interval in sorted({*wanted, *built}):
        reason = _reason(interval, wanted, built)
        other_code = interval in built and interval in wanted and built[interval].code != code
        if asked.full:
            reason = "full refresh"
        elif asked.given:
            reason = "asked for" if asked.names(interval) else ""
        elif not reason and other_code and rebuild:
            reason = "code changed"
        if reason and asked.allows(interval):
            reasons[interval] = reason
        elif other_code:
            outdated.append(interval)
    return Choice(reasons, tuple(outdated))


def _reason(interval: date, wanted: Mapping[date, Inputs], built: Mapping[date, Built]) -> str:
    """Why an interval must be built, by its inputs alone; empty when it need not."""
    if interval not in built:
        return "new"
    if interval not in wanted:
        return "removed"
    now, then = wanted[interval], built[interval].inputs
    changed = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return f"{', '.join(changed)} changed" if changed else ""
