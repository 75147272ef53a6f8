"""The plan of an interval model in one run: its commits, each with the intervals that it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from penstock.iceberg import row_check
from penstock.intervals import input_filter
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import IntervalModel

# The placeholder in the statement of a write. It is replaced by the write's options, which are only known when the
# statement is sent.
WRITE_OPTIONS = "/* options of the write */"


@dataclass(frozen=True)
class PlannedCommit:
    """One commit of a model's table.

    Attributes:
        model: the model whose table is written.
        intervals: the intervals that the commit replaces.
        full_refresh: whether the commit replaces the whole table.
        condition: the SQL predicate that selects the rows to replace.
        commit: the commit's metadata.
        reasons: why each interval is built.
        began: when the commit began, as returned by `time.monotonic`.
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
        """The commit's metadata as text, for the table's history."""
        return self.commit.dumps()

    @property
    def starts(self) -> list[str]:
        """The intervals as ISO dates, for a Python model's `dbt.intervals`."""
        return [day.isoformat() for day in self.intervals]

    @property
    def write_options(self) -> str:
        """The placeholder of the write's options (`RunLedger.write_options`); empty for Delta, which needs none."""
        return WRITE_OPTIONS if self.model.table_format == "iceberg" else ""

    @property
    def row_check(self) -> str:
        """The SQL condition that fails for a row of another interval; empty for Delta, which itself checks the rows."""
        return row_check.expression(self.condition) if self.model.table_format == "iceberg" else ""

    def compiled(self, sql: str) -> str:
        """Return the compiled code, changed so that it returns the rows of the commit's intervals only."""
        return input_filter.replace_markers(sql, self.intervals, self.model.grain, self.model.column)

    def windows(self, input_grain: str, before: bool) -> list[tuple[str, str]]:
        """Return the time windows of an input that a Python model reads; see `input_filter.windows`."""
        return input_filter.windows(input_grain, before, self.intervals, self.model.grain)


@dataclass(frozen=True)
class IntervalPlan:
    """The plan of an interval model in one run.

    Attributes:
        commits: the commits, in order.
        summary: the summary at the end of the model's log line.
        warning: the warning to show; empty without one.
        example: a function that limits the model's compiled code to the newest interval, even if the plan doesn't build
            that interval.
        built: the intervals in the table before the run.
        older_code: the intervals that an older version of the model's code built, and that the run doesn't rebuild.
    """

    commits: tuple[PlannedCommit, ...]
    summary: str
    warning: str
    example: Callable[[str], str]
    built: frozenset[date] = frozenset()
    older_code: tuple[date, ...] = ()

    @property
    def reasons(self) -> dict[date, str]:
        """Return why each interval of the plan is built."""
        return {day: reason for commit in self.commits for day, reason in commit.reasons.items()}
