"""Create the ledger rows of one commit: built, failed or restored intervals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

from penstock.intervals import ledger_table
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import IntervalModel
from penstock.intervals.ledger_table import LedgerRow
from penstock.intervals.staleness import BuiltInterval
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_state import IntervalTable


def built(
    model: IntervalModel,
    table: IntervalTable,
    commit: TableCommit,
    metadata: CommitMetadata,
    seconds: float | None,
    reasons: Mapping[date, str],
    counts: Mapping[date, tuple[int, int | None]],
) -> list[LedgerRow]:
    """Return the ledger rows of a successful commit.

    Args:
        model: the model.
        table: the model's table.
        commit: the commit in the table's history.
        metadata: the commit's metadata.
        seconds: the duration of the commit; None if unknown.
        reasons: why each interval was built.
        counts: (rows, quarantined rows) by interval.
    """
    no_rows = (0, None if model.quarantined is None else 0)
    return [
        _row(
            model,
            day,
            ledger_table.REMOVED if day in metadata.removed else ledger_table.BUILT,
            batch_id=metadata.commit_id,
            run_id=metadata.run_id,
            attempt=metadata.attempts.get(day, 1),
            inputs=inputs,
            code=metadata.code,
            rows_in=model.rows_in(day, inputs),
            rows_out=counts.get(day, no_rows)[0],
            rows_quarantined=counts.get(day, no_rows)[1],
            started_at=metadata.started,
            seconds=seconds,
            delta_version=commit.version,
            table_id=table.id,
            message=reasons.get(day, ""),
        )
        for day, inputs in sorted(metadata.intervals.items())
    ]


def failed(
    model: IntervalModel, table: IntervalTable, metadata: CommitMetadata, outcome: str, message: str
) -> list[LedgerRow]:
    """Return the ledger rows of a commit that failed or was interrupted.

    Args:
        model: the model.
        table: the model's table, which the commit didn't change.
        metadata: the metadata that the commit would have had.
        outcome: `failed` or `interrupted`.
        message: the reason.
    """
    rows = []
    for day, inputs in sorted(metadata.intervals.items()):
        current = table.state.built.get(day)
        rows.append(
            _row(
                model,
                day,
                outcome,
                batch_id=metadata.commit_id,
                run_id=metadata.run_id,
                attempt=table.state.attempt(day),
                inputs=inputs,
                code=metadata.code,
                started_at=metadata.started,
                seconds=max(0.0, (datetime.now(timezone.utc) - metadata.started).total_seconds()),
                delta_version=current.version if current else table.state.removed.get(day),
                table_id=table.id,
                message=message,
            )
        )
    return rows


def restored(
    model: IntervalModel, table: IntervalTable, commit: TableCommit, now: Mapping[date, BuiltInterval]
) -> list[LedgerRow]:
    """Return the ledger rows of a RESTORE or rollback to an older version.

    Args:
        model: the model.
        table: the model's table before the RESTORE or rollback.
        commit: the RESTORE or rollback in the table's history.
        now: the intervals of the restored version.
    """
    rows = []
    for day in sorted({*now, *table.state.built}):
        interval = now.get(day) or table.state.built[day]
        rows.append(
            _row(
                model,
                day,
                ledger_table.BUILT if day in now else ledger_table.REMOVED,
                batch_id=interval.commit_id,
                inputs=interval.inputs if day in now else {},
                code=interval.code,
                rows_out=interval.rows if day in now else 0,
                delta_version=commit.version,
                table_id=table.id,
                message=f"the table was restored to {commit.restored_label}",
            )
        )
    return rows


def _row(model: IntervalModel, day: date, outcome: str, **values: Any) -> LedgerRow:
    common = {
        "run_id": "",
        "model": model.name,
        "relation": model.relation,
        "interval_start": day,
        "grain": model.grain.name,
        "outcome": outcome,
    }
    return LedgerRow(**{**common, **values})
