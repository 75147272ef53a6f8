"""Find the intervals that two tables built from equal inputs by equal code, so that their rows need no comparison.

The run ledger records the code and the inputs of each built interval (a month or day). An interval of a table is
trusted only on two conditions: the ledger contains the table's newest commit, and no other program has changed rows of
the table since the interval was built.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from penstock.diff.dbt_tables import Relation
from penstock.errors import PenstockError
from penstock.intervals import delta_history, ledger_table
from penstock.intervals.grain import GRAINS, Grain, condition
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.model_config import IntervalConfig
from penstock.intervals.staleness import BuiltInterval, Inputs
from penstock.intervals.table_commit import TableCommit

RunQuery = Callable[[str], Sequence[Sequence[Any]]]
# The columns of DESCRIBE HISTORY: https://docs.delta.io/latest/delta-utility.html#history-schema
HISTORY_COLUMNS = (
    *("version", "timestamp", "userId", "userName", "operation", "operationParameters", "job", "notebook"),
    *("clusterId", "readVersion", "isolationLevel", "isBlindAppend", "operationMetrics", "userMetadata", "engineInfo"),
)
MAX_COMMITS = 1000
# Operations that leave all rows as they are.
KEEPS_ROWS = (
    *(delta_history.COMPACTS, "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES"),
    *("COMPUTE STATS", "CLUSTER BY", "UPGRADE PROTOCOL"),
)


def history(run_query: RunQuery, relation: str) -> list[TableCommit]:
    """Return the newest commits of a Delta table, in chronological order.

    Raises:
        PenstockError: the table is not a Delta table.
    """
    rows = run_query(f"describe history {relation} limit {MAX_COMMITS}")
    return delta_history.parse_history(dict(zip(HISTORY_COLUMNS, row, strict=False)) for row in rows)


@dataclass(frozen=True)
class SkippedIntervals:
    """The intervals that aren't compared, because they are equal by the fingerprints of their code and inputs.

    Attributes:
        days: the first day of each interval.
        rows: the number of rows of these intervals in each table; None if the run ledger doesn't record it.
        complete: whether the tables have no other intervals.
        where: the condition that selects the rows to compare; empty for all rows.
    """

    days: tuple[date, ...] = ()
    rows: int | None = 0
    complete: bool = False
    where: str = ""


@dataclass(frozen=True)
class _Batch:
    """An interval of an earlier commit: the model, its grain, the code and the inputs."""

    model: str
    grain: Grain
    code: str
    inputs: Inputs


@dataclass
class Ledger:
    """The run ledger of one target.

    Args:
        run_query: runs a statement.
        relation: the ledger's table as SQL.
    """

    run_query: RunQuery
    relation: str
    _resolved: dict[tuple[str, str, date], Any] = field(default_factory=dict)

    @cached_property
    def states(self) -> dict[tuple[str, str], LedgerState]:
        """Return the state of each table; empty if the ledger does not exist."""
        try:
            return ledger_table.parse_states(self.run_query(ledger_table.read_sql(self.relation)))
        except PenstockError:
            return {}

    @cached_property
    def _batches(self) -> dict[tuple[str, str], dict[date, _Batch]]:
        """Return the built intervals by relation and commit id."""
        found: dict[tuple[str, str], dict[date, _Batch]] = {}
        columns = "relation, batch_id, interval_start, model, grain, code, to_json(inputs)"
        sql = f"select {columns} from {self.relation} where outcome = '{ledger_table.BUILT}'"
        for relation, commit, start, model, grain, code, inputs in self.run_query(sql):
            day = start if isinstance(start, date) else date.fromisoformat(str(start)[:10])
            batch = _Batch(str(model), GRAINS[str(grain)], str(code), json.loads(inputs or "{}"))
            found.setdefault((str(relation), str(commit)), {})[day] = batch
        return found

    def resolve(self, inputs: Inputs, day: date, grain: Grain) -> Any:
        """Return a value that is equal for equal inputs of two targets.

        The commits of an upstream model have different ids in two targets. Each id is therefore replaced by the name,
        code and inputs of the upstream model, for its intervals that overlap the given interval.

        Args:
            inputs: the versions of the interval's inputs.
            day: the first day of the interval.
            grain: the grain of the interval.
        """
        return sorted(
            json.dumps([self._version(name, version, day, grain) for version in versions.split(" ")])
            for name, versions in inputs.items()
        )

    def _version(self, name: str, version: str, day: date, grain: Grain) -> Any:
        intervals = self._batches.get((name, version))
        if intervals is None:
            return [name, version]
        return [self._batch(name, version, start, batch) for start, batch in sorted(intervals.items())
                if start in batch.grain.overlapping(day, grain)]  # fmt: skip

    def _batch(self, name: str, version: str, start: date, batch: _Batch) -> Any:
        key = name, version, start
        if key not in self._resolved:
            inputs = self.resolve(batch.inputs, start, batch.grain)
            self._resolved[key] = [batch.model, start.isoformat(), batch.code, inputs]
        return self._resolved[key]


def trusted_intervals(state: LedgerState, commits: Sequence[TableCommit]) -> dict[date, BuiltInterval]:
    """Return the intervals whose rows are as the ledger recorded them; none if the ledger lacks the newest commit.

    Args:
        state: the table's state in the ledger.
        commits: the table's commits, in chronological order.
    """
    writes = [commit for commit in commits if commit.operation not in KEEPS_ROWS]
    if not writes or not _is_recorded(state, writes[-1]):
        return {}
    foreign = max((commit.version for commit in writes if commit.metadata is None), default=-1)
    return {day: built for day, built in state.built.items() if built.version > foreign}


def _is_recorded(state: LedgerState, newest: TableCommit) -> bool:
    """Return whether the ledger contains a commit.

    A commit that only removes intervals leaves no built interval, so the removed intervals are searched too.
    """
    if newest.metadata is None or newest.version != state.version:
        return False
    ids = {built.commit_id for built in state.built.values() if built.version == newest.version}
    return newest.metadata.commit_id in ids or newest.version in state.removed.values()


@dataclass
class EqualIntervals:
    """Finds equal intervals of two targets.

    Attributes:
        run_query: runs a statement.
        ledgers: the run ledgers that were read, by relation.
    """

    run_query: RunQuery
    ledgers: dict[str, Ledger] = field(default_factory=dict)

    def find(self, before: Relation, after: Relation, config: IntervalConfig) -> SkippedIntervals:
        """Return the intervals of two tables that are equal by their fingerprints.

        Args:
            before, after: the tables.
            config: the model's interval configuration.
        """
        one, other = self._trusted(before), self._trusted(after)
        ledgers = self._ledger(before), self._ledger(after)
        days = [day for day in one if day in other and _is_equal(day, (one[day], other[day]), ledgers, config.grain)]
        if not days:
            return SkippedIntervals()
        counts = [other[day].rows if other[day].rows is not None else one[day].rows for day in days]
        rows = None if None in counts else sum(filter(None, counts))
        where = f"({config.column} is null or not {condition(config.column, days, config.grain)})"
        every = {*self._built(before), *self._built(after)}
        return SkippedIntervals(tuple(sorted(days)), rows, set(days) == every, where)

    def _ledger(self, relation: Relation) -> Ledger:
        return self.ledgers.setdefault(relation.ledger, Ledger(self.run_query, relation.ledger))

    def _state(self, relation: Relation) -> LedgerState:
        """Return the state of the existing table, which contains the table's newest commit.

        If the table was dropped and created again, the ledger has several states for its name, because each table had
        another id.
        """
        found = [state for (name, _), state in self._ledger(relation).states.items() if name == relation.ledger_name]
        commits = self._history(relation)
        newest = [commit for commit in commits if commit.operation not in KEEPS_ROWS][-1:]
        return next((state for state in found if newest and _is_recorded(state, newest[0])), LedgerState())

    def _built(self, relation: Relation) -> Mapping[date, BuiltInterval]:
        return self._state(relation).built

    def _trusted(self, relation: Relation) -> dict[date, BuiltInterval]:
        return trusted_intervals(self._state(relation), self._history(relation))

    def _history(self, relation: Relation) -> list[TableCommit]:
        """Return the table's commits; none if it is not a Delta table, or if its catalog supports no history."""
        if relation.sql not in self._histories:
            try:
                self._histories[relation.sql] = history(self.run_query, relation.sql)
            except PenstockError:
                self._histories[relation.sql] = []
        return self._histories[relation.sql]

    _histories: dict[str, list[TableCommit]] = field(default_factory=dict)


def _is_equal(
    day: date, built: tuple[BuiltInterval, BuiltInterval], ledgers: tuple[Ledger, Ledger], grain: Grain
) -> bool:
    """Return whether two tables built an interval from equal inputs by equal code."""
    one, other = built
    if one.code != other.code:
        return False
    if one.inputs == other.inputs or one.commit_id == other.commit_id:
        return True
    return bool(ledgers[0].resolve(one.inputs, day, grain) == ledgers[1].resolve(other.inputs, day, grain))
