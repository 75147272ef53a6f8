"""The commits that a run makes of a model: which intervals each replaces, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dbt.adapters.penstock.interval_models import input_filter
from dbt.adapters.penstock.interval_models.interval_model import Subject
from penstock.intervals.commit_metadata import Batch


@dataclass(frozen=True)
class Chunk:
    """One commit of a model's table.

    Attributes:
        intervals: what it replaces.
        anew: whether it makes the table anew, and takes every other interval away.
        condition: SQL of the table's rows that it replaces.
        batch: what the commit says of itself; `metadata` as text.
    """

    subject: Subject
    intervals: tuple[date, ...]
    anew: bool
    condition: str
    batch: Batch
    reasons: dict[date, str]
    began: float

    @property
    def metadata(self) -> str:
        """The text in Delta's commit information."""
        return self.batch.dumps()

    @property
    def starts(self) -> list[str]:
        """ISO dates of the intervals, as a Python model's `dbt.intervals` is made of."""
        return [day.isoformat() for day in self.intervals]

    def filled(self, sql: str) -> str:
        """Compiled code that gives the rows of these intervals alone."""
        return input_filter.filled(sql, self.intervals, self.subject.grain, self.subject.column)

    def windows(self, read: input_filter.IntervalFilter) -> list[tuple[str, str]]:
        """The same for an input of a Python model."""
        return input_filter.windows(read, self.intervals, self.subject.grain)


@dataclass(frozen=True)
class IntervalPlan:
    """What a run does to a model.

    Attributes:
        chunks: its commits, in order.
        said: what to tell the user, at the end of the model's line.
        warning: what else; empty when there is nothing.
        example: the model's query for one interval, whether or not that is built.
    """

    chunks: tuple[Chunk, ...]
    said: str
    warning: str
    example: Callable[[str], str]
