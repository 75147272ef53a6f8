"""The state of an interval model's table during a run: its intervals, and how a commit changes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.planned_commits import PlannedCommit
from penstock.intervals.staleness import BuiltInterval
from penstock.intervals.table_commit import TableCommit


@dataclass(frozen=True)
class IntervalTable:
    """The table of an interval model.

    Attributes:
        id: the table's id; empty if the table doesn't exist or has none.
        grain: the length of the table's intervals, `month` or `day`; empty if the table was not built by interval.
        state: the table's state according to the ledger.
        foreign: commits of other programs that changed rows after the newest version in the ledger.
    """

    id: str = ""
    grain: str = ""
    state: LedgerState = field(default_factory=LedgerState)
    foreign: tuple[TableCommit, ...] = ()


def after_commit(
    table: IntervalTable, commit: TableCommit, metadata: CommitMetadata, rows: Mapping[date, int]
) -> IntervalTable:
    """Return the table's state after a commit.

    Args:
        table: the table's state before the commit.
        commit: the commit in the table's history.
        metadata: the commit's metadata.
        rows: the number of rows by interval; empty if the rows were not counted.
    """
    state, id_ = table.state, metadata.commit_id
    built = {day: interval for day, interval in state.built.items() if day not in metadata.intervals}
    for day, inputs in metadata.intervals.items():
        if day not in metadata.removed:
            counted = rows.get(day, 0 if rows else None)
            built[day] = BuiltInterval(id_, inputs, metadata.code, commit.version, counted)
    failed = {day: attempts for day, attempts in state.failed.items() if day not in metadata.intervals}
    removed = {**state.removed, **dict.fromkeys(metadata.removed, commit.version)}
    return replace(table, state=LedgerState(max(state.version, commit.version), built, failed, removed))


def after_failure(table: IntervalTable, intervals: Collection[date]) -> IntervalTable:
    """Return the table's state after a failed attempt to build some intervals."""
    state = table.state
    failed = {**state.failed, **{day: state.attempt(day) for day in intervals}}
    built = {day: replace(item, failed=item.failed + (day in intervals)) for day, item in state.built.items()}
    return replace(table, state=replace(state, built=built, failed=failed))


def since_replacement(
    table: IntervalTable, commits: Sequence[TableCommit]
) -> tuple[IntervalTable, Sequence[TableCommit]]:
    """Return a state of the table, and the commits that lead from this state to the table's current content.

    If one of the commits that the ledger lacks replaced the table, the state is empty, and the last replacement is the
    first of the returned commits. Otherwise, return the state in the ledger and all commits that the ledger lacks.

    Args:
        table: the table's state from the ledger.
        commits: the table's newest commits, in chronological order.
    """
    commits = [commit for commit in commits if commit.version > table.state.version]
    replaced = [place for place, commit in enumerate(commits) if commit.replaces_table]
    if not replaced:
        return table, commits
    commits = commits[replaced[-1] :]
    # If another program replaced the table, ignore the grain: an Iceberg table keeps the property with the grain.
    return replace(table, state=LedgerState(), grain="" if commits[0].foreign else table.grain), commits


def after_planned_commit(table: IntervalTable, planned: PlannedCommit) -> IntervalTable:
    """Return the table's state after a planned commit, if the commit succeeds."""
    before = IntervalTable() if planned.full_refresh else table
    before = replace(before, id=before.id or planned.commit.commit_id, grain=planned.model.grain.name)
    return after_commit(before, TableCommit(before.state.version + 1, "WRITE", planned.commit), planned.commit, {})
