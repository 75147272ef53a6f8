"""The state of each interval of each interval model: built, stale or failed, from the run ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals import ledger_table
from penstock.intervals.grain import GRAINS, MONTH
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.planner import BEFORE
from penstock.intervals.source import IntervalSource
from penstock.intervals.staleness import RequestedIntervals, find_stale

RunQuery = Callable[[str], Sequence[Sequence[Any]]]
BUILT, STALE, FAILED = "built", "stale", "failed"


@dataclass(frozen=True)
class IntervalState:
    """The state of one interval.

    Attributes:
        relation: the model's table, `schema.table`.
        interval: the interval, as in `2024-01`.
        state: `built`, `stale`, or `failed` if the last attempt failed.
        reason: why the interval is stale.
        rows: rows of the interval in the table; None if they were not counted.
    """

    relation: str
    interval: str
    state: str
    reason: str = ""
    rows: int | None = None


def find_states(
    run_query: RunQuery, ledger: str, sources: Mapping[str, IntervalSource]
) -> tuple[list[IntervalState], tuple[str, ...]]:
    """Return the states of all intervals, and notes about inputs that could not be read.

    An interval is stale if an input's version differs from the version that the interval was built from. The inputs
    of a model are those that the ledger has for it. A change of the model's code is not considered.

    Args:
        run_query: runs a SQL statement and returns its rows.
        ledger: the run ledger, `schema.batch_runs`.
        sources: interval sources, by schema.
    """
    inputs = _Inputs(run_query, _current_states(run_query, ledger), sources)
    found: list[IntervalState] = []
    for relation, state in sorted(inputs.states.items()):
        grain = GRAINS[state.grain or MONTH]
        stale = find_stale(inputs.available(state), state.built, "", RequestedIntervals(), rebuild=False).reasons
        for day in sorted({*state.built, *stale, *state.failed}):
            built = state.built.get(day)
            has_failed = bool(built.failed if built else state.failed.get(day))
            if built is None and not has_failed and day not in stale:
                continue  # The interval was removed.
            label = FAILED if has_failed else STALE if day in stale else BUILT
            found.append(
                IntervalState(relation, grain.show(day), label, stale.get(day, ""), built.rows if built else None)
            )
    return found, tuple(inputs.notes)


def _current_states(run_query: RunQuery, ledger: str) -> dict[str, LedgerState]:
    """Return the state of each relation's newest table; a recreated table has another id."""
    newest = {
        str(relation): str(table_id or "")
        for relation, table_id in run_query(
            f"select relation, max_by(table_id, started_at) from {ledger} group by relation"
        )
    }
    states = ledger_table.parse_states(run_query(ledger_table.read_sql(ledger)))
    return {relation: state for (relation, table_id), state in states.items() if newest.get(relation) == table_id}


class _Inputs:
    """The versions that the inputs have now."""

    def __init__(
        self, run_query: RunQuery, states: dict[str, LedgerState], sources: Mapping[str, IntervalSource]
    ) -> None:
        self.states, self.notes = states, list[str]()
        self._run_query, self._sources = run_query, sources
        self._source_versions: dict[str, Mapping[date, str]] = {}

    def available(self, state: LedgerState) -> dict[date, dict[str, str]]:
        """Return the versions of a model's inputs for each interval."""
        names = sorted({name for built in state.built.values() for name in built.inputs if name != "partial"})
        grain = GRAINS[state.grain or MONTH]
        versions: dict[date, dict[str, list[str]]] = {}
        for name in (name for name in names if not name.endswith(BEFORE)):
            of, starts = self._versions(name, state)
            for start, version in starts.items():
                for day in grain.overlapping(start, GRAINS[of]):
                    versions.setdefault(day, {}).setdefault(name, []).append(version)
        for name in (name for name in names if name.endswith(BEFORE)):
            _, starts = self._versions(name.removesuffix(BEFORE), state)
            for day, of_day in versions.items():
                earlier = sorted(f"{start} {version}" for start, version in starts.items() if start < day)
                if earlier:
                    of_day[name] = [hashlib.sha256("\n".join(earlier).encode()).hexdigest()[:16]]
        return {day: {name: " ".join(sorted(of)) for name, of in names.items()} for day, names in versions.items()}

    def _versions(self, name: str, state: LedgerState) -> tuple[str, Mapping[date, str]]:
        """Return the grain of an input and the version of each of its intervals.

        An input that can't be read keeps the versions that the model was built from.
        """
        schema, _, table = name.rpartition(".")
        if name in self.states:
            upstream = self.states[name]
            return upstream.grain or MONTH, {day: built.commit_id for day, built in upstream.built.items()}
        if schema in self._sources:
            source = self._sources[schema]
            try:
                if name not in self._source_versions:
                    self._source_versions[name] = source.versions(self._run_query, table)
                return source.grain.name, self._source_versions[name]
            except PenstockError as error:
                self.notes.append(f"{name}: {error.found}")
        return state.grain or MONTH, {
            day: built.inputs[name] for day, built in state.built.items() if name in built.inputs
        }
