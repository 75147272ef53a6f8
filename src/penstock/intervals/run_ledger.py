"""The run ledger in one dbt run: read once, completed from the tables' own histories, and added to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from penstock.delta.conflicts import retry_on_conflict
from penstock.intervals import ledger_entries, ledger_table
from penstock.intervals.commit_metadata import CommitMetadata, TableCommit
from penstock.intervals.interval_model import IntervalModel, RunSql, count_rows
from penstock.intervals.ledger_table import LedgerRow, LedgerState
from penstock.intervals.table_history import TableHistories
from penstock.intervals.table_state import IntervalTable, after_commit, from_detail

COMPLETED = "completed after a crash"
NOT_FOUND = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "Table or view not found")


class RunLedger:
    """The run ledger of a target.

    Args:
        relation: the ledger's own table, `schema.batch_runs`.
        find_log: returns the folder of a table's Delta log when it is on this machine; else None.
    """

    def __init__(self, relation: str, find_log: Callable[[str], Path | None] = lambda relation: None) -> None:
        self.relation, self._histories = relation, TableHistories(find_log)
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
        """Return a model's table with its intervals.

        It is read once in a run, or once more with `refresh`, when another run may have written to it.
        """
        with self._lock:
            if refresh or model.relation not in self._tables:
                if self._states is None:
                    self._states = self._read(run_sql)
                (self._histories.use_server if refresh else self._histories.use_log)(model.relation)
                newest = None if refresh else self._histories.newest(run_sql, model.relation, 1)[0]
                unchanged = newest and self._unchanged(model, newest)
                self._tables[model.relation] = unchanged or self._look_up(run_sql, model, newest)
            return self._tables[model.relation]

    def _unchanged(self, model: IntervalModel, newest: TableCommit) -> IntervalTable | None:
        """Return the table as the ledger has it, when its newest commit is the ledger's newest; otherwise None.

        A commit id is used once: a table that was replaced, restored, cloned or altered ends with another commit.
        """
        for (relation, table_id), state in (self._states or {}).items():
            if relation == model.relation and state.grain and state.ends_with(newest):
                return IntervalTable(table_id, state.grain, state)
        return None

    def _look_up(self, run_sql: RunSql, model: IntervalModel, newest: TableCommit | None) -> IntervalTable:
        """Return the table by its own properties and history; `newest` is None when others may have written."""
        table = from_detail(run_sql(f"describe detail {model.relation}")[0])
        states = self._states = self._states or {}
        if newest is None:
            states.update(self._read(run_sql, table=model.relation))
        table = replace(table, state=states.get((model.relation, table.id), LedgerState()))
        # In the middle of a run the other run adds its own commits to the ledger.
        add_rows, newest = newest is not None, newest or self._histories.newest(run_sql, model.relation, 1)[0]
        return self._complete(run_sql, model, table, newest, add_rows)

    def _complete(
        self, run_sql: RunSql, model: IntervalModel, table: IntervalTable, newest: TableCommit, add_rows: bool
    ) -> IntervalTable:
        """Return the table with the commits up to `newest` that the ledger lacks; `add_rows` adds them to it."""
        missing = newest.version - table.state.version
        if missing <= 0 or not table.grain:
            return table
        commits = self._histories.newest(run_sql, model.relation, missing)
        commits = [commit for commit in commits if commit.version > table.state.version]
        if replaced := [place for place, commit in enumerate(commits) if commit.replaces_table]:
            commits, table = commits[replaced[-1] :], replace(table, state=LedgerState())
        foreign = []
        for commit in commits:
            if commit.metadata:
                reasons = dict.fromkeys(commit.metadata.intervals, COMPLETED)
                table = (
                    self.record(run_sql, model, table, commit, commit.metadata, None, reasons)
                    if add_rows
                    else after_commit(table, commit, commit.metadata, {})
                )
            elif commit.restored is not None and add_rows:
                table = self._record_restore(run_sql, model, table, commit)
            elif commit.foreign:
                foreign.append(commit)
        return replace(table, foreign=tuple(foreign))

    def _record_restore(
        self, run_sql: RunSql, model: IntervalModel, table: IntervalTable, commit: TableCommit
    ) -> IntervalTable:
        """Record that an older version of the table was restored, and return the table with its intervals."""
        states = self._read(run_sql, table=model.relation, up_to=commit.restored)
        then = states.get((model.relation, table.id), LedgerState())
        now = {day: replace(built, version=commit.version) for day, built in then.built.items()}
        rows = ledger_entries.restored(model, table, commit, now)
        self.append(run_sql, rows)
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
        """Add a commit's rows to the ledger, and return the table with the commit.

        Args:
            table: as it was before, with the id that it has now.
            seconds: how long the commit took; None when that is not known.
            reasons: why each interval was built.
        """
        counts = count_rows(run_sql, model, metadata, commit) if metadata.intervals else {}
        rows = ledger_entries.built(model, table, commit, metadata, seconds, reasons, counts)
        self.append(run_sql, rows)
        changed = after_commit(table, commit, metadata, {day: count[0] for day, count in counts.items()})
        with self._lock:
            self._tables[model.relation] = changed
        return changed

    def known(self, relation: str) -> IntervalTable | None:
        """Return a table as this run knows it; None when it has not been read."""
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
        """Find a commit in the table's history and record it; None when another run's commit made it unnecessary.

        Args:
            replaced: whether the table was created or replaced, and so has another id.
        """
        before = self._tables.get(model.relation, IntervalTable())
        if replaced or not before.id:
            self._histories.use_server(model.relation)
            before = IntervalTable(str(run_sql(f"describe detail {model.relation}")[0]["id"]))
        for limit in (5, 100):
            commits = self._histories.newest(run_sql, model.relation, limit)
            own = [c for c in commits if c.metadata and c.metadata.commit_id == metadata.commit_id]
            if own:
                table = replace(before, grain=model.grain.name)
                return self.record(run_sql, model, table, own[0], metadata, seconds, reasons)
            self._histories.use_server(model.relation)
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
        """Record a commit that failed or was interrupted, and return the table, whose rows are unchanged."""
        rows = ledger_entries.failed(model, table, metadata, outcome, message)
        self.append(run_sql, rows)
        with self._lock:
            state = table.state
            failed = {**state.failed, **{day: state.attempt(day) for day in metadata.intervals}}
            kept = {
                day: replace(built, failed=built.failed + (day in metadata.intervals))
                for day, built in state.built.items()
            }
            changed = replace(table, state=replace(state, built=kept, failed=failed))
            self._tables[model.relation] = changed
        return changed

    def append(self, run_sql: RunSql, rows: Sequence[LedgerRow]) -> None:
        """Add rows to the ledger; create its table when it does not exist."""
        if not rows:
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
