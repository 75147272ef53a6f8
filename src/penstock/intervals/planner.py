"""The interval planner decides which intervals of a model a run builds, and in which commits."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals import input_filter, ledger_table, plan_messages, run_marker
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.grain import Grain, condition, format_intervals
from penstock.intervals.interval_model import IntervalModel, RunSql
from penstock.intervals.model_graph import GraphModel, ModelGraph, ModelInputs
from penstock.intervals.planned_commits import IntervalPlan, PlannedCommit
from penstock.intervals.run_ledger import RunLedger
from penstock.intervals.source import IntervalSource
from penstock.intervals.staleness import BuiltInterval, Inputs, RequestedIntervals, StaleIntervals, find_stale
from penstock.intervals.table_state import IntervalTable

# Suffix of an input's name. The name with this suffix means all intervals of the input before the interval to build.
BEFORE = " before"


@dataclass(frozen=True)
class IntervalPlanner:
    """Plans the interval models of one dbt run.

    Attributes:
        ledger: the run ledger.
        sources: interval sources, by schema.
        graph: dbt's graph.
        run_sql: runs a statement on the calling thread's connection.
        markers: dbt's target folder, which contains the run markers (see `run_marker`).
        run_id: dbt's invocation id.
        log: writes a line to the log.
        read_only: whether to plan for a preview: without changing the ledger or run markers, and without reading data.
    """

    ledger: RunLedger
    sources: Mapping[str, IntervalSource]
    graph: ModelGraph
    run_sql: RunSql
    markers: Path
    run_id: str
    log: Callable[[str], Any]
    read_only: bool = False

    def plan(
        self, unique_id: str, exists: bool, requested: Callable[[Grain], RequestedIntervals], partial: str
    ) -> IntervalPlan:
        """Return the plan of a model.

        Args:
            unique_id: dbt's unique id of the model.
            exists: whether the model's table exists.
            requested: returns the requested intervals for the model's grain.
            partial: the option that limits the rows of each interval (`--empty`, `--sample`); empty if the run builds
                whole intervals.

        Raises:
            PenstockError: the configuration is invalid, no input has intervals, or a landed file is damaged.
        """
        model = self.graph.model(unique_id)
        config, inputs = model.config, self.graph.inputs(unique_id)
        available = self._available(inputs, config.grain)
        if partial:
            available = {day: {**versions, "partial": partial} for day, versions in available.items()}
        entry = self.ledger_model(model)
        table = self.ledger.table(self.run_sql, entry) if exists else IntervalTable()
        request = requested(config.grain)
        replaces = exists and (request.full_refresh or table.grain != config.grain.name)
        table = table if self.read_only else self._record_killed(entry, table)
        built = {} if replaces else table.state.built
        stale = find_stale(available, built, inputs.code, request, config.rebuild)
        if not self.read_only:
            self._verify(inputs.sources, [day for day in stale.reasons if day in available], config.grain)
        commits = _plan_commits(entry, table, inputs.code, available, stale, replaces, config.per_commit, self.run_id)
        newest = (max(available, default=date(1970, 1, 1)),)
        return IntervalPlan(
            commits,
            plan_messages.summary(stale, available, config.grain),
            plan_messages.warning(entry, IntervalTable() if replaces else table, stale),
            lambda sql: input_filter.replace_markers(sql, newest, config.grain, config.column),
            frozenset(table.state.built),
            stale.older_code,
        )

    def ledger_model(self, model: GraphModel) -> IntervalModel:
        """Return the description of a model for the ledger."""
        config = model.config

        def rows_in(day: date, inputs: Inputs) -> int | None:
            names = [name for name in inputs if name != "partial" and BEFORE not in name]
            counts = [self._input_rows(name, day, config.grain) for name in names]
            return None if None in counts else sum(filter(None, counts))

        return IntervalModel(
            model.name, model.relation, config.column, config.grain, config.quarantined, rows_in, model.table_format
        )

    def _input_rows(self, name: str, day: date, grain: Grain) -> int | None:
        """Return the number of an input's rows in an interval; None if they were not counted."""
        schema, _, table = name.partition(".")
        # A name with a catalog, `catalog.schema.table`, always belongs to a model and never to a source table.
        if "." not in table and (source := self.sources.get(schema)):
            return sum(source.rows(self.run_sql, table, interval) for interval in source.grain.overlapping(day, grain))
        known = self.ledger.known(name)
        built = known.state.built.get(day) if known else None
        return built.rows if built else None

    def _verify(self, tables: Sequence[tuple[str, str]], days: Sequence[date], grain: Grain) -> None:
        """Check the files of the source tables in the intervals that the run will read."""
        for schema, table in tables:
            source = self.sources[schema]
            source.verify(self.run_sql, table, {item for day in days for item in source.grain.overlapping(day, grain)})

    def _available(self, inputs: ModelInputs, grain: Grain) -> dict[date, dict[str, str]]:
        """Return the intervals that the inputs have now, each with the versions of the inputs by name."""
        versions: dict[date, dict[str, list[str]]] = {}

        def add(start: date, of: Grain, name: str, version: str) -> None:
            for day in grain.overlapping(start, of):
                versions.setdefault(day, {}).setdefault(name, []).append(version)

        for schema, table in inputs.sources:
            source = self.sources[schema]
            for start, version in source.versions(self.run_sql, table).items():
                add(start, source.grain, f"{schema}.{table}", version)
        for parent in inputs.models:
            model, built = self._upstream(parent)
            for start, interval in built.items():
                add(start, model.grain, model.relation, interval.commit_id)
        for parent in inputs.before:
            model, built = self._upstream(parent)
            for day, names in versions.items():
                earlier = sorted(f"{start} {interval.commit_id}" for start, interval in built.items() if start < day)
                if earlier:
                    digest = hashlib.sha256("\n".join(earlier).encode()).hexdigest()
                    names[model.relation + BEFORE] = [digest[:16]]
        return {day: {name: " ".join(sorted(of)) for name, of in names.items()} for day, names in versions.items()}

    def _upstream(self, unique_id: str) -> tuple[IntervalModel, Mapping[date, BuiltInterval]]:
        """Return an upstream model and the intervals in its table.

        Raises:
            PenstockError: the table has rows, but neither the ledger nor the table's history records their intervals.
        """
        deferred = self.graph.deferred_model(unique_id)
        model = self.ledger_model(deferred or self.graph.model(unique_id))
        # With `refresh`, this run adds no ledger rows for a table of another environment. The table's history provides
        # the commits that the ledger lacks.
        table = self.ledger.table(self.run_sql, model, refresh=deferred is not None)
        state = table.state
        if not state.built and state.version < 0 and self._has_rows(model.relation):
            raise PenstockError(
                f"the intervals of {model.relation}, which was built by interval",
                f"rows that are neither in the ledger {self.ledger.relation} nor in the table's history, as in a "
                "clone, whose history does not contain the original's commits",
                f"build it here: `dbt run --select {model.name}`; or drop it, and read the table of the other "
                "environment with --defer",
                entry="a-table-has-rows-that-the-ledger-doesnt-know",
            )
        return model, state.built

    def _has_rows(self, relation: str) -> bool:
        """Return whether a table has rows or, if the planner is read-only, whether it has files."""
        if self.read_only:
            return bool(self.run_sql(f"describe detail {relation}")[0]["numFiles"])
        return bool(self.run_sql(f"select 1 from {relation} limit 1"))

    def _record_killed(self, model: IntervalModel, table: IntervalTable) -> IntervalTable:
        """If a killed commit left its marker, record the commit as interrupted; return the table."""
        marker = run_marker.read(self.markers, model.relation)
        if marker is None or marker.alive:
            return table
        run_marker.remove(self.markers, model.relation)
        if any(built.commit_id == marker.commit_id for built in table.state.built.values()):
            return table
        self.log(
            f"{model.name}: an earlier run was killed while it built "
            f"{format_intervals(marker.intervals, model.grain)}; its table is as it was before"
        )
        inputs: dict[date, Inputs] = {day: {} for day in marker.intervals}
        metadata = CommitMetadata(marker.commit_id, marker.run_id, "", marker.started, inputs)
        return self.ledger.record_failed(self.run_sql, model, table, metadata, ledger_table.INTERRUPTED, "killed")


def _plan_commits(
    model: IntervalModel,
    table: IntervalTable,
    code: str,
    available: Mapping[date, Inputs],
    stale: StaleIntervals,
    replaces: bool,
    per_commit: int,
    run_id: str,
) -> tuple[PlannedCommit, ...]:
    """Return the commits that build the stale intervals. If `replaces` is true, the first commit replaces the table."""
    days = list(stale.reasons)
    groups = [tuple(days[at : at + per_commit]) for at in range(0, len(days), per_commit)]
    if (replaces or not table.id) and not groups:
        # One commit without intervals creates an empty table, which downstream models can read.
        groups = [()]
    return tuple(
        PlannedCommit(
            model,
            group,
            replaces and place == 0,
            condition(model.column, group, model.grain),
            CommitMetadata(
                uuid.uuid4().hex[:16],
                run_id,
                code,
                datetime.now(timezone.utc),
                {day: available.get(day, {}) for day in group},
                tuple(day for day in group if day not in available),
                {day: table.state.attempt(day) for day in group},
            ),
            {day: stale.reasons[day] for day in group},
            time.monotonic(),
        )
        for place, group in enumerate(groups)
    )
