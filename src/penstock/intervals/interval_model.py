"""An interval model as the run ledger knows it, and how its rows are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.intervals.commit_metadata import CommitMetadata, TableCommit
from penstock.intervals.grain import DAY, Grain, condition
from penstock.intervals.staleness import Inputs

# Runs a statement and returns its rows.
RunSql = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class IntervalModel:
    """What the ledger's rows of one model have in common.

    Attributes:
        name: the model's name.
        relation: its table, `schema.name`.
        column: the table's column that gives a row's interval.
        grain: month or day.
        quarantined: SQL condition of a row that counts as quarantined.
        rows_in: rows of an interval in the inputs; None when an input was not counted.
    """

    name: str
    relation: str
    column: str
    grain: Grain
    quarantined: str | None
    rows_in: Callable[[date, Inputs], int | None]


def count_rows(
    run_sql: RunSql, model: IntervalModel, metadata: CommitMetadata, commit: TableCommit
) -> dict[date, tuple[int, int | None]]:
    """Return (rows, quarantined rows) of each interval of a commit, as the table has them."""
    if len(metadata.intervals) == 1 and model.quarantined is None and commit.rows is not None:
        return {next(iter(metadata.intervals)): (commit.rows, None)}
    start = f"cast({model.column} as date)"
    start = start if model.grain.name == DAY else f"cast(trunc({start}, 'month') as date)"
    quarantined = f"count_if({model.quarantined})" if model.quarantined else "cast(null as bigint)"
    where = condition(model.column, metadata.intervals, model.grain)
    rows = run_sql(f"select {start}, count(*), {quarantined} from {model.relation} where {where} group by 1")
    return {
        row[0] if isinstance(row[0], date) else date.fromisoformat(str(row[0])[:10]): (
            int(row[1]),
            None if row[2] is None else int(row[2]),
        )
        for row in rows
    }
