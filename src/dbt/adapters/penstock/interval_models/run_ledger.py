"""The ledger as one dbt run knows it: read once, completed from the tables' own histories, added to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.interval_models.interval_model import Run, Subject, count
from dbt.adapters.penstock.interval_models.table_history import Histories
from dbt.adapters.penstock.interval_models.table_state import Table, after, of_detail
from penstock.delta.conflicts import again_on_conflict
from penstock.intervals import ledger_rows
from penstock.intervals.commit_metadata import Batch, Commit
from penstock.intervals.ledger_rows import Event, State

AFTER_A_CRASH = "completed after a crash"
NOT_THERE = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "Table or view not found")


class Book:
    """The ledger of a target.

    Args:
        relation: the ledger's own table, `schema.batch_runs`.
        log_of: the folder of a table's Delta log, where this program can read it; else None.
    """

    def __init__(self, relation: str, log_of: Callable[[str], Path | None] = lambda relation: None) -> None:
        self.relation, self._histories = relation, Histories(log_of)
        self._states: dict[tuple[str, str], State] | None = None
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()

    def _read(self, run: Run, **only: Any) -> dict[tuple[str, str], State]:
        try:
            return ledger_rows.states(run(ledger_rows.read_sql(self.relation, **only)))
        except DbtRuntimeError as error:
            if any(words in str(error) for words in NOT_THERE):
                return {}
            raise

    def table(self, run: Run, subject: Subject, again: bool = False) -> Table:
        """A model's table with its intervals; read once in a run, or `again` when others may have written."""
        with self._lock:
            if again or subject.relation not in self._tables:
                if self._states is None:
                    self._states = self._read(run)
                (self._histories.leave_log if again else self._histories.find_log)(subject.relation)
                newest = None if again else self._histories.newest(run, subject.relation, 1)[0]
                whole = newest and self._unchanged(subject, newest)
                self._tables[subject.relation] = whole or self._looked_up(run, subject, newest)
            return self._tables[subject.relation]

    def _unchanged(self, subject: Subject, newest: Commit) -> Table | None:
        """Return the table as the ledger has it, when its newest commit is the ledger's newest; otherwise None.

        A batch's id is used once: a table that was replaced, restored, cloned or altered ends with another commit.
        """
        for (relation, table_id), state in (self._states or {}).items():
            if relation == subject.relation and state.grain and state.ends_with(newest):
                return Table(table_id, state.grain, state)
        return None

    def _looked_up(self, run: Run, subject: Subject, newest: Commit | None) -> Table:
        """Return the table by its own properties and history; `newest` is None when others may have written."""
        table = of_detail(run(f"describe detail {subject.relation}")[0])
        states = self._states = self._states or {}
        if newest is None:
            states.update(self._read(run, of=subject.relation))
        table = replace(table, state=states.get((subject.relation, table.id), State()))
        # In the middle of a run the ledger is left to the run whose commits are found.
        tell, newest = newest is not None, newest or self._histories.newest(run, subject.relation, 1)[0]
        return self._completed(run, subject, table, newest, tell)

    def _completed(self, run: Run, subject: Subject, table: Table, newest: Commit, tell: bool) -> Table:
        """Return the table with the commits up to `newest` that the ledger lacks; `tell` adds them to the ledger."""
        missing = newest.version - table.state.version
        if missing <= 0 or not table.grain:
            return table
        found = self._histories.newest(run, subject.relation, missing)
        foreign = []
        found = [commit for commit in found if commit.version > table.state.version]
        if anew := [place for place, commit in enumerate(found) if commit.anew]:
            found, table = found[anew[-1] :], replace(table, state=State())
        for commit in found:
            if commit.batch:
                reasons = dict.fromkeys(commit.batch.intervals, AFTER_A_CRASH)
                table = (
                    self.record(run, subject, table, commit, commit.batch, None, reasons)
                    if tell
                    else after(table, commit, commit.batch, {})
                )
            elif commit.restored is not None and tell:
                table = self._restored(run, subject, table, commit)
            elif commit.foreign:
                foreign.append(commit)
        return replace(table, foreign=tuple(foreign))

    def _restored(self, run: Run, subject: Subject, table: Table, commit: Commit) -> Table:
        """Somebody brought an older version of the table back: its intervals are those of then."""
        then = self._read(run, of=subject.relation, upto=commit.restored).get((subject.relation, table.id), State())
        now, events = {day: replace(built, version=commit.version) for day, built in then.built.items()}, []
        for day in sorted({*now, *table.state.built}):
            built = now.get(day) or table.state.built[day]
            outcome = ledger_rows.BUILT if day in now else ledger_rows.REMOVED
            events.append(
                self._event(
                    subject,
                    day,
                    outcome,
                    batch_id=built.batch,
                    inputs=built.inputs if day in now else {},
                    code=built.code,
                    rows_out=built.rows if day in now else 0,
                    delta_version=commit.version,
                    table_id=table.id,
                    message=f"the table was restored to version {commit.restored}",
                )
            )
        self.append(run, events)
        return replace(table, state=State(commit.version, now))

    @staticmethod
    def _event(subject: Subject, day: date, outcome: str, **values: Any) -> Event:
        return Event(
            **{
                "run_id": "",
                "model": subject.name,
                "relation": subject.relation,
                "interval_start": day,
                "grain": subject.grain.name,
                "outcome": outcome,
                **values,
            }
        )

    def record(
        self,
        run: Run,
        subject: Subject,
        table: Table,
        commit: Commit,
        batch: Batch,
        seconds: float | None,
        reasons: Mapping[date, str],
    ) -> Table:
        """Tell the ledger of a commit, and return the table with it.

        Args:
            table: as it was before, with the id that it has now.
            seconds: how long the batch took; None when nobody knows any more.
            reasons: why each interval was built.
        """
        rows = count(run, subject, batch, commit) if batch.intervals else {}
        nothing = (0, None if subject.quarantined is None else 0)
        events = [
            self._event(
                subject,
                day,
                ledger_rows.REMOVED if day in batch.gone else ledger_rows.BUILT,
                batch_id=batch.batch,
                run_id=batch.run,
                attempt=batch.attempts.get(day, 1),
                inputs=inputs,
                code=batch.code,
                rows_in=subject.rows_in(day, inputs),
                rows_out=rows.get(day, nothing)[0],
                rows_quarantined=rows.get(day, nothing)[1],
                started_at=batch.started,
                seconds=seconds,
                delta_version=commit.version,
                table_id=table.id,
                message=reasons.get(day, ""),
            )
            for day, inputs in sorted(batch.intervals.items())
        ]
        self.append(run, events)
        known = after(table, commit, batch, {day: found[0] for day, found in rows.items()})
        with self._lock:
            self._tables[subject.relation] = known
        return known

    def known(self, relation: str) -> Table | None:
        """A table as this run knows it; None when it hasn't looked."""
        return self._tables.get(relation)

    def written(
        self, run: Run, subject: Subject, batch: Batch, seconds: float, reasons: Mapping[date, str], anew: bool
    ) -> Table | None:
        """Find the commit of a batch and record it; None when another run's commit made it needless.

        Args:
            anew: whether the table was made or replaced, and so has another id.
        """
        before = self._tables.get(subject.relation, Table())
        if anew or not before.id:
            self._histories.leave_log(subject.relation)
            before = Table(str(run(f"describe detail {subject.relation}")[0]["id"]))
        for limit in (5, 100):
            found = self._histories.newest(run, subject.relation, limit)
            mine = [commit for commit in found if commit.batch and commit.batch.batch == batch.batch]
            if mine:
                table = replace(before, grain=subject.grain.name)
                return self.record(run, subject, table, mine[0], batch, seconds, reasons)
            self._histories.leave_log(subject.relation)
        return None

    def unfinished(self, run: Run, subject: Subject, table: Table, batch: Batch, outcome: str, why: str) -> Table:
        """Tell the ledger of a batch that came to nothing."""
        events = []
        for day, inputs in sorted(batch.intervals.items()):
            held = table.state.built.get(day)
            events.append(
                self._event(
                    subject,
                    day,
                    outcome,
                    batch_id=batch.batch,
                    run_id=batch.run,
                    attempt=table.state.attempt(day),
                    inputs=inputs,
                    code=batch.code,
                    started_at=batch.started,
                    seconds=max(0.0, (datetime.now(timezone.utc) - batch.started).total_seconds()),
                    delta_version=held.version if held else table.state.gone.get(day),
                    table_id=table.id,
                    message=why,
                )
            )
        self.append(run, events)
        with self._lock:
            state = table.state
            failed = {**state.failed, **{day: state.attempt(day) for day in batch.intervals}}
            built = {
                day: replace(held, failed=held.failed + (day in batch.intervals)) for day, held in state.built.items()
            }
            known = replace(table, state=replace(state, built=built, failed=failed))
            self._tables[subject.relation] = known
        return known

    def append(self, run: Run, events: Sequence[Event]) -> None:
        """Add rows to the ledger, which is made when it isn't there."""
        if not events:
            return
        sql = ledger_rows.append_sql(self.relation, events)
        try:
            run(sql)
        except DbtRuntimeError as error:
            if not any(words in str(error) for words in NOT_THERE):
                raise
            run(f"create schema if not exists {self.relation.rpartition('.')[0]}")
            ledger_rows.create(run, self.relation)
            again_on_conflict(lambda: run(sql))
