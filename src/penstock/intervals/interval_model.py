"""The description of an interval model for the run ledger, and the query that counts its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.grain import DAY, Grain, condition
from penstock.intervals.staleness import Inputs
from penstock.intervals.table_commit import TableCommit

# Runs a statement and returns its rows.
RunSql = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class IntervalModel:
    """An interval model: the values that all of its ledger rows share, and how to count its rows.

    Attributes:
        name: the model's name.
        relation: the model's table, `schema.name`, or `catalog.schema.name` outside the default catalog.
        column: the table's column that determines the interval of a row.
        grain: month or day.
        quarantined: the SQL condition that selects quarantined rows; None without one.
        rows_in: returns the number of input rows of an interval; None if an input's rows were not counted.
        table_format: the table's format, `delta` or `iceberg`.
    """

    name: str
    relation: str
    column: str
    grain: Grain
    quarantined: str | None
    rows_in: Callable[[date, Inputs], int | None]
    table_format: str = "delta"


def count_rows(
    run_sql: RunSql, model: IntervalModel, metadata: CommitMetadata, commit: TableCommit
) -> dict[date, tuple[int, int | None]]:
    """Count the rows and the quarantined rows that the table has in each interval of a commit.

    Returns:
        (rows, quarantined rows) by interval, without intervals that have no rows. The second number is None for a
        model without `quarantine_when`.
    """
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
