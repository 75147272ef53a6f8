"""Estimate rows, bytes and seconds of the next run from the run ledger, tables' histories and records of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from penstock.delta import log as delta_log
from penstock.errors import PenstockError
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.delta_history import parse_map
from penstock.plans import plan_store
from penstock.preview.code_changes import SUCCESS
from penstock.preview.content import Estimate, Expected
from penstock.preview.warehouse import Warehouse
from penstock.runs import run_store

# Number of the newest commits and runs of a model that an estimate uses. Older runs had other data.
MAX_COMMITS = 20


@dataclass(frozen=True)
class Written:
    """What one commit of a table wrote.

    Attributes:
        operation: Delta's name of the operation.
        commit_id: penstock's id of the commit; empty for a model that is not built by interval.
        rows, bytes: what the commit wrote; None if unknown.
    """

    operation: str
    commit_id: str
    rows: float | None
    bytes: float | None


@dataclass(frozen=True)
class LedgerCommit:
    """One commit in the run ledger: its id, seconds, number of intervals and rows."""

    commit_id: str
    seconds: float | None
    intervals: int
    rows: float | None


def estimate(values: Iterable[float | None], times: int = 1) -> Estimate | None:
    """Return the median of some numbers with their spread, or None without numbers.

    Args:
        values: the numbers; None for an unknown one.
        times: the number of intervals, by which the numbers are multiplied.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Estimate(median(known) * times, min(known) * times, max(known) * times, len(known))


class History:
    """The earlier runs of a target's models.

    Args:
        warehouse: runs statements.
        target_folder: dbt's target folder, which has the records of runs.
        target: name of the target.
    """

    def __init__(self, warehouse: Warehouse, target_folder: Path, target: str) -> None:
        self._warehouse, self._folder = warehouse, target_folder
        self._records = [record for record in run_store.records(target_folder) if record.target == target]
        self._ledger: dict[str, list[LedgerCommit]] | None = None

    def of_intervals(self, ledger: str, relation: str, number: int) -> Expected:
        """Return the expected rows, bytes and seconds of some intervals, from the ledger and the table's history.

        Args:
            ledger: the run ledger's table.
            relation: the model's table.
            number: the number of intervals.
        """
        if self._ledger is None:
            self._ledger = self._read_ledger(ledger)
        commits = self._ledger.get(relation, [])[:MAX_COMMITS]
        if not commits:
            return Expected()
        sizes = {item.commit_id: item.bytes for item in self._written(relation) if item.commit_id}
        by_commit = [(sizes.get(item.commit_id), item.intervals) for item in commits]
        return Expected(
            estimate((None if item.rows is None else item.rows / item.intervals for item in commits), number),
            estimate((None if size is None else size / intervals for size, intervals in by_commit), number),
            estimate((None if item.seconds is None else item.seconds / item.intervals for item in commits), number),
        )

    def of_run(self, unique_id: str, relation: str, is_delta: bool, whole: bool) -> Expected:
        """Return the expected rows, bytes and seconds of a model, from its table's history and the records of runs.

        Args:
            unique_id: dbt's unique id.
            relation: the model's table.
            is_delta: whether the table has a Delta history.
            whole: whether the run writes the whole table.
        """
        written = [
            item
            for item in (self._written(relation) if is_delta else ())
            if whole == (item.operation in delta_log.WHOLE_TABLE_OPERATIONS)
        ]
        seconds = [
            record.nodes[unique_id].seconds
            for record in self._records
            if unique_id in record.nodes and record.nodes[unique_id].status == SUCCESS
        ]
        if not seconds:
            captured = plan_store.read(self._folder, unique_id)
            seconds = [captured.executed.seconds] if captured and captured.executed else []
        return Expected(
            estimate(item.rows for item in written),
            estimate(item.bytes for item in written),
            estimate(seconds[:MAX_COMMITS]),
        )

    def _read_ledger(self, ledger: str) -> dict[str, list[LedgerCommit]]:
        """Return the successful commits of each table, the newest first; no commits without a ledger."""
        try:
            rows = self._warehouse.rows(
                "select relation, batch_id, max(seconds) as seconds, count(*) as intervals, sum(rows_out) as written, "
                f"max(started_at) as started from {ledger} where outcome = 'built' and run_id <> '' "
                "group by relation, batch_id order by started desc"
            )
        except PenstockError:
            return {}
        commits: dict[str, list[LedgerCommit]] = {}
        for row in rows:
            commit = LedgerCommit(
                str(row["batch_id"]), _number(row["seconds"]), int(row["intervals"]), _number(row["written"])
            )
            commits.setdefault(str(row["relation"]), []).append(commit)
        return commits

    def _written(self, relation: str) -> list[Written]:
        """Return the newest commits of a table that wrote rows, the newest first; none without a Delta history."""
        log = self._warehouse.adapter.intervals.find_log(relation)
        rows: Sequence[Mapping[str, Any]] | None = delta_log.history_rows(log, MAX_COMMITS) if log else None
        try:
            rows = rows or self._warehouse.rows(f"describe history {relation} limit {MAX_COMMITS}")
        except PenstockError:
            return []
        return [item for row in rows if (item := _parse_written(row)).rows is not None or item.bytes is not None]


def _parse_written(row: Mapping[str, Any]) -> Written:
    metrics = parse_map(row["operationMetrics"])
    metadata = CommitMetadata.loads(row["userMetadata"])
    size = metrics.get("numOutputBytes", metrics.get("numTargetBytesAdded"))
    commit_id = metadata.commit_id if metadata else ""
    return Written(str(row["operation"]), commit_id, _number(metrics.get("numOutputRows")), _number(size))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
