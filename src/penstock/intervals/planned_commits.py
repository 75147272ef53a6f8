"""The plan of an interval model in one run: its commits, and which intervals each replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from penstock.intervals import input_filter
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import IntervalModel


@dataclass(frozen=True)
class PlannedCommit:
    """One commit of a model's table.

    Attributes:
        model: whose table it is.
        intervals: the intervals that it replaces.
        full_refresh: whether it replaces the whole table.
        condition: SQL of the table's rows that it replaces.
        commit: its metadata; `metadata` as text.
        reasons: why each interval is built.
        began: when it began, in seconds of the monotonic clock.
    """

    model: IntervalModel
    intervals: tuple[date, ...]
    full_refresh: bool
    condition: str
    commit: CommitMetadata
    reasons: dict[date, str]
    began: float

    @property
    def metadata(self) -> str:
        """The text in Delta's commit information."""
        return self.commit.dumps()

    @property
    def starts(self) -> list[str]:
        """ISO dates of the intervals, for a Python model's `dbt.intervals`."""
        return [day.isoformat() for day in self.intervals]

    def compiled(self, sql: str) -> str:
        """Return compiled code that gives the rows of these intervals only."""
        return input_filter.replace_markers(sql, self.intervals, self.model.grain, self.model.column)

    def windows(self, input_grain: str, before: bool) -> list[tuple[str, str]]:
        """Return what a Python model reads of an input; see `input_filter.windows`."""
        return input_filter.windows(input_grain, before, self.intervals, self.model.grain)


@dataclass(frozen=True)
class IntervalPlan:
    """What a run does to an interval model.

    Attributes:
        commits: its commits, in order.
        summary: the message at the end of the model's line.
        warning: what the user should know beside it; empty when there is nothing.
        example: returns the model's query for one interval, whether or not that interval is built.
    """

    commits: tuple[PlannedCommit, ...]
    summary: str
    warning: str
    example: Callable[[str], str]
