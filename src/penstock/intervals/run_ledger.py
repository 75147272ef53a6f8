"""The run ledger in one dbt run.

The run reads the ledger once. If the ledger lacks rows, the run takes these rows from the histories of the models'
tables and adds them. Then the run adds a row for each interval that it builds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from penstock.delta.conflicts import retry_on_conflict
from penstock.intervals import ledger_entries, ledger_table, table_state
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import IntervalModel, RunSql, count_rows
from penstock.intervals.ledger_table import LedgerRow, LedgerState
from penstock.intervals.planned_commits import PlannedCommit
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_history import TableHistories
from penstock.intervals.table_state import IntervalTable

COMPLETED = "completed after a crash"
NOT_FOUND = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "Table or view not found")


class RunLedger:
    """The run ledger of a target.

    Args:
        relation: the ledger's table, `schema.batch_runs`.
        find_log: returns the folder of a table's Delta log if the folder is on this machine; otherwise None.
        read_only: whether to add no rows. The states of tables still include the commits that the ledger lacks.
    """

    def __init__(
        self, relation: str, find_log: Callable[[str], Path | None] = lambda _: None, read_only: bool = False
    ) -> None:
        self.relation, self._histories, self._read_only = relation, TableHistories(find_log), read_only
        self._states: dict[tuple[str, str], LedgerState] | None = None
        self._tables: dict[str, IntervalTable] = {}
        self._lock = threading.RLock()

    def _read(self, run_sql: RunSql, **filters: Any) -> dict[tuple[str, str], LedgerState]:
        try:
            return ledger_table.parse_states(run_sql(ledger_table.read_sql(self.relation, **filters)))
        except Exception as error:
            if _is_not_found(error):
                return {}
            raise

    def table(self, run_sql: RunSql, model: IntervalModel, refresh: bool = False) -> IntervalTable:
        """Return a model's table with its intervals. A run reads each table only once, and keeps its state up to date.

        Args:
            run_sql: runs a statement.
            model: the model.
            refresh: read the table again, because another run may have written to it.
        """
        with self._lock:
            if refresh or model.relation not in self._tables:
                if self._states is None:
                    self._states = self._read(run_sql)
                history = self._histories.of(model)
                (history.use_server if refresh else history.use_files)()
                newest = None if refresh else history.newest(run_sql, 1)[0]
                unchanged = newest and self._unchanged(model, newest)
                self._tables[model.relation] = unchanged or self._look_up(run_sql, model, newest)
            return self._tables[model.relation]

    def _unchanged(self, model: IntervalModel, newest: TableCommit) -> IntervalTable | None:
        """Return the table's state from the ledger if the ledger includes the table's newest commit; otherwise None.

        Commit ids are unique. If the table was replaced, restored, cloned or altered, its newest commit has another id.
        """
        for (relation, table_id), state in (self._states or {}).items():
            if relation == model.relation and state.grain and state.ends_with(newest):
                return IntervalTable(table_id, state.grain, state)
        return None

    def _look_up(self, run_sql: RunSql, model: IntervalModel, newest: TableCommit | None) -> IntervalTable:
        """Return the table's state from its properties and history.

        Args:
            run_sql: runs a statement.
            model: the model.
            newest: the newest commit; None if another run may have written to the table.
        """
        history = self._histories.of(model)
        table = history.describe(run_sql)
        states = self._states = self._states or {}
        if newest is None:
            states.update(self._read(run_sql, table=model.relation))
        table = replace(table, state=states.get((model.relation, table.id), LedgerState()))
        # If another run wrote to the table during this run, the other run adds the rows to the ledger.
        add_rows, newest = newest is not None, newest or history.newest(run_sql, 1)[0]
        return self._complete(run_sql, model, table, newest, add_rows)

    def _complete(
        self, run_sql: RunSql, model: IntervalModel, table: IntervalTable, newest: TableCommit, add_rows: bool
    ) -> IntervalTable:
        """Return the table's state including the commits that the ledger lacks.

        Args:
            run_sql: runs a statement.
            model: the model.
            table: the table's state from the ledger.
            newest: the newest commit of the table.
            add_rows: whether to add the missing commits to the ledger.
        """
        missing = newest.version - table.state.version
        if missing <= 0 or not table.grain:
            return table
        table, commits = table_state.since_replacement(table, self._histories.of(model).newest(run_sql, missing))
        foreign = []
        for commit in commits:
            if commit.metadata:
                reasons = dict.fromkeys(commit.metadata.intervals, COMPLETED)
                table = (
                    self.record(run_sql, model, table, commit, commit.metadata, None, reasons)
                    if add_rows and not self._read_only
                    else table_state.after_commit(table, commit, commit.metadata, {})
                )
            elif commit.restored is not None and add_rows:
                table = self._record_restore(run_sql, model, table, commit)
            elif commit.foreign:
                foreign.append(commit)
        return replace(table, foreign=tuple(foreign))

    def _record_restore(
        self, run_sql: RunSql, model: IntervalModel, table: IntervalTable, commit: TableCommit
    ) -> IntervalTable:
        """Add the rows of a RESTORE or rollback to the ledger, and return the table with the restored intervals."""
        states = self._read(run_sql, table=model.relation, up_to=commit.restored)
        then = states.get((model.relation, table.id), LedgerState())
        if commit.snapshot:
            # Iceberg can also restore rows from before the table was replaced, when the table had another id.
            then = max(states.values(), key=lambda state: state.version, default=then)
        now = {day: replace(built, version=commit.version) for day, built in then.built.items()}
        self.append(run_sql, ledger_entries.restored(model, table, commit, now))
        return replace(table, state=LedgerState(commit.version, now))

    def record(
        self,
        run_sql: RunSql,
        model: IntervalModel,
        table: IntervalTable,
        commit: TableCommit,
        metadata: CommitMetadata,
        seconds: float | None,
        reasons: Mapping[date, str],
    ) -> IntervalTable:
        """Add a commit's rows to the ledger, and return the table's state after the commit.

        Args:
            run_sql: runs a statement.
            model: the model.
            table: the table's state before the commit, but with the table's current id.
            commit: the commit in the table's history.
            metadata: the commit's metadata.
            seconds: the duration of the commit; None if unknown.
            reasons: why each interval was built.
        """
        counts = count_rows(run_sql, model, metadata, commit) if metadata.intervals else {}
        self.append(run_sql, ledger_entries.built(model, table, commit, metadata, seconds, reasons, counts))
        changed = table_state.after_commit(table, commit, metadata, {day: count[0] for day, count in counts.items()})
        with self._lock:
            self._tables[model.relation] = changed
        return changed

    def write_options(self, model: IntervalModel) -> str:
        """Return the clause of INSERT that makes a write fail if another run has written the same intervals."""
        return self._histories.of(model).write_options()

    def known(self, relation: str) -> IntervalTable | None:
        """Return the state of a table, or None if this run doesn't know the table's state."""
        return self._tables.get(relation)

    def record_written(
        self,
        run_sql: RunSql,
        model: IntervalModel,
        metadata: CommitMetadata,
        seconds: float,
        reasons: Mapping[date, str],
        replaced: bool,
    ) -> IntervalTable | None:
        """Find this run's commit in the table's history, record it, and return the table's new state.

        Args:
            run_sql: runs a statement.
            model: the model.
            metadata: the commit's metadata.
            seconds: the duration of the commit.
            reasons: why each interval was built.
            replaced: whether the commit created or replaced the table, so that the table has a new id.

        Returns:
            The table's state; None if the history lacks the commit because another run built the intervals first.
        """
        before = self._tables.get(model.relation, IntervalTable())
        history = self._histories.of(model)
        if replaced or not before.id:
            history.use_server()
            before = IntervalTable(history.describe(run_sql).id)
        for limit in (5, 100):
            commits = history.newest(run_sql, limit)
            own = [c for c in commits if c.metadata and c.metadata.commit_id == metadata.commit_id]
            if own:
                table = replace(before, grain=model.grain.name)
                return self.record(run_sql, model, table, own[0], metadata, seconds, reasons)
            history.use_server()
        return None

    def record_failed(
        self,
        run_sql: RunSql,
        model: IntervalModel,
        table: IntervalTable,
        metadata: CommitMetadata,
        outcome: str,
        message: str,
    ) -> IntervalTable:
        """Add the ledger rows of a failed or interrupted commit, and return the table's state.

        The commit didn't change the table's rows; only the numbers of failed attempts grow.
        """
        self.append(run_sql, ledger_entries.failed(model, table, metadata, outcome, message))
        with self._lock:
            self._tables[model.relation] = changed = table_state.after_failure(table, metadata.intervals)
        return changed

    def assume_built(self, commits: Sequence[PlannedCommit]) -> None:
        """Treat planned commits as successful, so that a preview plans downstream models as a run does."""
        for planned in commits:
            relation = planned.model.relation
            self._tables[relation] = table_state.after_planned_commit(
                self._tables.get(relation, IntervalTable()), planned
            )

    def append(self, run_sql: RunSql, rows: Sequence[LedgerRow]) -> None:
        """Add rows to the ledger. If the ledger's table is missing, create it."""
        if not rows or self._read_only:
            return
        sql = ledger_table.append_sql(self.relation, rows)
        try:
            run_sql(sql)
        except Exception as error:
            if not _is_not_found(error):
                raise
            run_sql(f"create schema if not exists {self.relation.rpartition('.')[0]}")
            ledger_table.create(run_sql, self.relation)
            retry_on_conflict(lambda: run_sql(sql))


def _is_not_found(error: Exception) -> bool:
    return any(text in str(error) for text in NOT_FOUND)
