"""Which intervals of a model a run builds, and in which commits."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock import node_fingerprint
from dbt.adapters.penstock.error_messages import in_three
from dbt.adapters.penstock.interval_models import input_filter, inputs, plan_messages
from dbt.adapters.penstock.interval_models.commits import Chunk, IntervalPlan
from dbt.adapters.penstock.interval_models.config import IntervalConfig
from dbt.adapters.penstock.interval_models.interval_model import Run, Subject
from dbt.adapters.penstock.interval_models.lake import Lake
from dbt.adapters.penstock.interval_models.run_ledger import Book
from dbt.adapters.penstock.interval_models.table_state import Table
from penstock.intervals import ledger_rows, run_marker
from penstock.intervals.commit_metadata import Batch
from penstock.intervals.grain import GRAINS, MONTH, Grain, condition, shown
from penstock.intervals.staleness import Asked, Built, Choice, Inputs, choose
from penstock.lake.catalog import SCHEMA

# At the end of an input's name: all its intervals before the one that is built.
BEFORE = " before"


class Planner:
    """Plans the interval models of one dbt run.

    Args:
        book: the ledger.
        lake: the lake's months.
        manifest: dbt's.
        run: runs a statement on the calling thread's connection.
        notes: dbt's target folder, where running batches leave their notes.
        say: takes a line for the log.
        lies: a model as it is read, which with `--defer` may be that of another environment.
    """

    def __init__(
        self,
        book: Book,
        lake: Lake,
        manifest: Any,
        run: Run,
        notes: Path,
        say: Callable[[str], Any],
        lies: Callable[[Any], Any],
    ) -> None:
        self._book, self._lake, self._manifest = book, lake, manifest
        self._run, self._notes, self._say, self._lies = run, notes, say, lies

    def plan(self, name: str, exists: bool, asked: Callable[[Grain], Asked], partial: str) -> IntervalPlan:
        """What is to be done to a model.

        Args:
            name: dbt's unique id.
            exists: whether its table is there.
            asked: what the command says, in a grain.
            partial: why the rows are no whole intervals; empty when they are.

        Raises:
            DbtRuntimeError: a configuration that can't be, inputs without intervals, or a landed file
                that isn't whole.
        """
        model = self._manifest.nodes[name]
        settings = IntervalConfig.of(model.config.to_dict(omit_none=True), model.name)
        found = inputs.find(self._manifest, name, settings.before)
        wanted = self._wanted(found, settings.grain)
        if partial:
            wanted = {day: {**of, "partial": partial} for day, of in wanted.items()}
        subject = self.subject(model)
        table = self._book.table(self._run, subject) if exists else Table()
        request = asked(settings.grain)
        anew = exists and (request.full or table.grain != settings.grain.name)
        table = self._interrupted(subject, table)
        choice = choose(wanted, {} if anew else table.state.built, found.code, request, settings.rebuild)
        for dataset in found.datasets:
            self._lake.require(self._run, dataset, _months(choice.build, wanted, settings.grain))
        chunks = self._chunks(subject, table, found.code, wanted, choice, anew, settings.per_commit)
        one = (max(wanted, default=date(1970, 1, 1)),)
        return IntervalPlan(
            chunks,
            plan_messages.said(choice, wanted, settings.grain),
            plan_messages.warning(subject, Table() if anew else table, choice),
            lambda sql: input_filter.filled(sql, one, settings.grain, settings.column),
        )

    def subject(self, node: Any) -> Subject:
        """A model as the ledger knows it."""
        settings = IntervalConfig.of(node.config.to_dict(omit_none=True), node.name)

        def rows_in(day: date, of: Inputs) -> int | None:
            counted = [self._rows(name, day, settings.grain) for name in of if name != "partial" and BEFORE not in name]
            return None if None in counted else sum(filter(None, counted))

        return Subject(
            node.name, node_fingerprint.name_of(node), settings.column, settings.grain, settings.quarantined, rows_in
        )

    def _rows(self, name: str, day: date, grain: Grain) -> int | None:
        """Rows of an interval in an input; None when nobody counted them."""
        schema, _, table = name.partition(".")
        if schema == SCHEMA:
            return sum(self._lake.rows(self._run, table, month) for month in GRAINS[MONTH].of(day, grain))
        known = self._book.known(name)
        held = known.state.built.get(day) if known else None
        return held.rows if held else None

    def _wanted(self, found: inputs.ModelInputs, grain: Grain) -> dict[date, dict[str, str]]:
        """By interval, what the inputs have of it now."""
        wanted: dict[date, dict[str, list[str]]] = {}

        def add(start: date, of: Grain, name: str, content: str) -> None:
            for day in grain.of(start, of):
                wanted.setdefault(day, {}).setdefault(name, []).append(content)

        for dataset in found.datasets:
            for month, folder in self._lake.months(self._run, dataset).items():
                add(month, GRAINS[MONTH], f"{SCHEMA}.{dataset}", folder)
        for parent in found.models:
            subject, built = self._read(self._manifest.nodes[parent])
            for start, held in built.items():
                add(start, subject.grain, subject.relation, held.batch)
        for parent in found.before:
            subject, built = self._read(self._manifest.nodes[parent])
            for day, names in wanted.items():
                earlier = sorted(f"{start} {held.batch}" for start, held in built.items() if start < day)
                if earlier:
                    digest = hashlib.sha256("\n".join(earlier).encode()).hexdigest()
                    names[subject.relation + BEFORE] = [digest[:16]]
        return {day: {name: " ".join(sorted(of)) for name, of in names.items()} for day, names in wanted.items()}

    def _read(self, node: Any) -> tuple[Subject, Mapping[date, Built]]:
        """A model that is read, with its intervals.

        Raises:
            DbtRuntimeError: its table has rows of which nobody knows what intervals they are.
        """
        lies = self._lies(node)
        subject = replace(self.subject(node), relation=node_fingerprint.name_of(lies))
        # The ledger of another environment is not this run's to complete: that table's history says it all.
        table = self._book.table(self._run, subject, again=lies is not node)
        if not table.state.built and table.state.version < 0 and self._run(f"select 1 from {subject.relation} limit 1"):
            raise DbtRuntimeError(
                in_three(
                    f"the intervals of {subject.relation}, which was built by interval",
                    f"rows that neither the ledger {self._book.relation} nor the table's history tells of, as in a "
                    "clone, which begins a history of its own",
                    f"build it here: `dbt run --select {node.name}`; or drop it, and read the other environment's "
                    "with --defer",
                )
            )
        return subject, table.state.built

    def _interrupted(self, subject: Subject, table: Table) -> Table:
        """Tell the ledger of a batch of this target folder that was killed."""
        left = run_marker.read(self._notes, subject.relation)
        if left is None or left.alive:
            return table
        run_marker.remove(self._notes, subject.relation)
        if any(built.batch == left.batch for built in table.state.built.values()):
            return table
        self._say(
            f"{subject.name}: an earlier run was killed while it built {shown(left.intervals, subject.grain)}; "
            "its table is as it was before"
        )
        batch = Batch(left.batch, left.run, "", left.started, {day: {} for day in left.intervals})
        return self._book.unfinished(self._run, subject, table, batch, ledger_rows.INTERRUPTED, "killed")

    @staticmethod
    def _chunks(
        subject: Subject,
        table: Table,
        fingerprint: str,
        wanted: Mapping[date, Inputs],
        choice: Choice,
        anew: bool,
        per_commit: int,
    ) -> tuple[Chunk, ...]:
        days = list(choice.build)
        groups = [tuple(days[at : at + per_commit]) for at in range(0, len(days), per_commit)]
        if (anew or not table.id) and not groups:
            # The table is made all the same, without rows, for what reads it.
            groups = [()]
        return tuple(
            Chunk(
                subject,
                group,
                anew and place == 0,
                condition(subject.column, group, subject.grain),
                Batch(
                    uuid.uuid4().hex[:16],
                    get_invocation_id(),
                    fingerprint,
                    datetime.now(timezone.utc),
                    {day: wanted.get(day, {}) for day in group},
                    tuple(day for day in group if day not in wanted),
                    {day: table.state.attempt(day) for day in group},
                ),
                {day: choice.build[day] for day in group},
                time.monotonic(),
            )
            for place, group in enumerate(groups)
        )


def _months(build: Mapping[date, str], wanted: Mapping[date, Inputs], grain: Grain) -> set[date]:
    """The lake's months that are about to be read."""
    return {month for day in build if day in wanted for month in GRAINS[MONTH].of(day, grain)}
