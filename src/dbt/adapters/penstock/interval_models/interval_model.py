"""The model that the ledger is told of: its table, its intervals, and how their rows are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.intervals.commit_metadata import Batch, Commit
from penstock.intervals.grain import DAY, Grain, condition
from penstock.intervals.staleness import Inputs

# Runs a statement and returns its rows.
Run = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class Subject:
    """What the ledger's rows of one model have in common.

    Attributes:
        name: the model's.
        relation: its table, `schema.name`.
        column: the table's column that tells a row's interval.
        quarantined: SQL condition of a row that counts as quarantined.
        rows_in: rows of an interval in the inputs; None when one of them wasn't counted.
    """

    name: str
    relation: str
    column: str
    grain: Grain
    quarantined: str | None
    rows_in: Callable[[date, Inputs], int | None]


def count(run: Run, subject: Subject, batch: Batch, commit: Commit) -> dict[date, tuple[int, int | None]]:
    """(rows, quarantined rows) of each interval of a batch, as the table has them."""
    if len(batch.intervals) == 1 and subject.quarantined is None and commit.rows is not None:
        return {next(iter(batch.intervals)): (commit.rows, None)}
    start = f"cast({subject.column} as date)"
    start = start if subject.grain.name == DAY else f"cast(trunc({start}, 'month') as date)"
    quarantined = f"count_if({subject.quarantined})" if subject.quarantined else "cast(null as bigint)"
    where = condition(subject.column, batch.intervals, subject.grain)
    rows = run(f"select {start}, count(*), {quarantined} from {subject.relation} where {where} group by 1")
    return {
        row[0] if isinstance(row[0], date) else date.fromisoformat(str(row[0])[:10]): (
            int(row[1]),
            None if row[2] is None else int(row[2]),
        )
        for row in rows
    }
