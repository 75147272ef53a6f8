"""What the materialization asks of the adapter: the plan of a model, and what becomes of each commit."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.error_messages import in_three
from dbt.adapters.penstock.interval_models import deferral, input_filter, requested_intervals
from dbt.adapters.penstock.interval_models.commits import Chunk, IntervalPlan
from dbt.adapters.penstock.interval_models.config import interval_properties
from dbt.adapters.penstock.interval_models.lake import Lake
from dbt.adapters.penstock.interval_models.plan_messages import message
from dbt.adapters.penstock.interval_models.planner import Planner
from dbt.adapters.penstock.interval_models.run_ledger import Book
from dbt.adapters.penstock.interval_models.table_state import Table
from dbt.adapters.penstock.query_comment import ASIDE
from penstock.delta import log, replace_where
from penstock.delta.conflicts import again_on_conflict, create_if_missing, is_conflict
from penstock.intervals import commit_metadata, ledger_rows, run_marker
from penstock.intervals.grain import shown

logger = AdapterLogger("penstock")


class BuiltElsewhere(Exception):
    """Another run has built the same intervals from the same inputs meanwhile."""


class IntervalModels(SparkAdapter):
    """dbt-spark's adapter, with models that are built by interval."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._book = Book(f"{self.config.credentials.schema}.{ledger_rows.TABLE}", self._log_of)
        # `dbt debug` has a profile alone, and no project.
        self._lake = Lake(self.config.credentials)
        # By node, the commit that is under way.
        self._under_way: dict[str, Chunk] = {}
        # Whether this run builds models by interval.
        self._planned = False

    @contextlib.contextmanager
    def connection_named(
        self, name: str, query_header_context: Any = None, should_release_connection: bool = True
    ) -> Iterator[None]:
        """dbt's own, which begins every node: what is compiled inside is marked for that node."""
        with (
            input_filter.compiling(query_header_context),
            super().connection_named(name, query_header_context, should_release_connection),
        ):
            yield

    def _rows_of(self, sql: str) -> Any:
        return self.execute(ASIDE + sql, fetch=True)[1].rows

    def _log_of(self, relation: str) -> Path | None:
        """Where a table's Delta log is on this machine, as of the run's start, unless this run changed the table."""
        if not self.config.credentials.managed or self.connections.descriptions.changed(relation):
            return None
        schema, _, name = relation.partition(".")
        known = [item for item in self.cache.get_relations(None, schema) if str(item.identifier).lower() == name]
        return log.folder(getattr(known[0], "information", None) or "") if known else None

    @property
    def _notes(self) -> Path:
        return Path(self.config.project_root) / self.config.target_path

    @available
    def interval_plan(self, node: dict[str, Any], existing: BaseRelation | None, full_refresh: bool) -> IntervalPlan:
        """Which intervals of a model this run builds, and in which commits.

        Args:
            node: the model.
            existing: what stands at its name; None when nothing does.
            full_refresh: whether all of it is to be made anew.

        Raises:
            DbtRuntimeError: see Planner.plan.
        """
        self._planned = True
        lies = partial(deferral.lies, self)
        planner = Planner(
            self._book, self._lake, self.get_macro_resolver(), self._rows_of, self._notes, logger.info, lies
        )
        arguments = self.config.args
        exists = existing is not None and bool(existing.is_table)
        return planner.plan(
            node["unique_id"],
            exists,
            lambda grain: requested_intervals.asked(arguments, grain, full_refresh),
            requested_intervals.partial(arguments),
        )

    @available.parse(lambda *arguments, **options: {})
    def interval_properties(self, node: dict[str, Any]) -> dict[str, str]:
        """Table properties of a node's own strategy."""
        return interval_properties(node["config"])

    @available
    def interval_begin(self, node: dict[str, Any], chunk: Chunk) -> Chunk:
        """A commit begins: a note is left for whoever comes after a kill, and the session marks its commits."""
        chunk = replace(chunk, batch=replace(chunk.batch, started=datetime.now(timezone.utc)), began=time.monotonic())
        batch = chunk.batch
        run_marker.write(self._notes, chunk.subject.relation, batch.batch, batch.run, chunk.intervals, batch.started)
        self._under_way[node["unique_id"]] = chunk
        if node["language"] == "sql":
            self._rows_of(f"set {commit_metadata.SETTING}={chunk.metadata}")
        return chunk

    @available
    def create_interval_table(self, relation: BaseRelation, columns: list[Any], clauses: str) -> None:
        """Make an empty table unless it is there, also while another run makes the same one.

        Args:
            relation: the table.
            columns: its columns.
            clauses: of `create table`, after the columns.
        """
        create_if_missing(self.execute, str(relation), {item.quoted: item.data_type for item in columns}, clauses)

    @available
    def write_interval(self, sql: str, chunk: Chunk) -> AdapterResponse:
        """Send the statement that replaces a commit's intervals.

        When another run's commit came first, it is sent again, unless that run built the same
        intervals from the same inputs.
        """
        tries = 0

        def write() -> AdapterResponse:
            nonlocal tries
            tries += 1
            if tries > 1 and self._elsewhere(chunk):
                raise BuiltElsewhere
            return self.execute(sql)[0]

        try:
            return again_on_conflict(write)
        except BuiltElsewhere:
            logger.info(
                f"{chunk.subject.name}: another run built {shown(chunk.intervals, chunk.subject.grain)} meanwhile, "
                "from the same inputs; nothing is left to write"
            )
            return AdapterResponse(_message="OK")
        except DbtRuntimeError as error:
            if is_conflict(error):
                intervals = shown(chunk.intervals, chunk.subject.grain)
                raise DbtRuntimeError(
                    in_three(
                        f"no other run that writes {intervals} of {chunk.subject.name} at the same time",
                        f"one whose commits came first each time ({message(error)})",
                        "wait until it has ended, then type `dbt run` again: it builds what is missing",
                    )
                ) from None
            if parts := replace_where.in_parts(error, chunk.condition):
                raise DbtRuntimeError(in_three(*parts)) from None
            raise

    def _elsewhere(self, chunk: Chunk) -> bool:
        """Whether a commit's intervals are in the table as it would have made them, by another batch."""
        table = self._book.table(self._rows_of, chunk.subject, again=True)
        mine = chunk.batch
        return bool(mine.intervals) and all(
            (held := table.state.built.get(day)) is not None
            and held.batch != mine.batch
            and dict(held.inputs) == dict(of)
            and held.code == mine.code
            for day, of in mine.intervals.items()
        )

    @available
    def interval_done(self, node: dict[str, Any], chunk: Chunk) -> str:
        """A commit has ended well: the ledger is told of it, unless it only made an empty table."""
        seconds = time.monotonic() - chunk.began
        table = self._book.written(self._rows_of, chunk.subject, chunk.batch, seconds, chunk.reasons, chunk.anew)
        self._under_way.pop(node["unique_id"], None)
        run_marker.remove(self._notes, chunk.subject.relation)
        return "" if table else "built by another run"

    @available
    def interval_response(self, said: str) -> AdapterResponse:
        """What dbt shows at the end of the model's line."""
        return AdapterResponse(_message=said)

    def interval_interrupted(self) -> None:
        """Ctrl-C: what becomes of the commits that are under way, and what to type next."""
        if not self._planned:
            return
        for chunk in list(self._under_way.values()):
            intervals = shown(chunk.intervals, chunk.subject.grain)
            logger.info(
                f"{chunk.subject.name}: interrupted while it built {intervals}; its table has all of it or none of it"
            )
        logger.info("the run was stopped: `dbt run` builds what is missing")

    def interval_failed(self, name: str) -> None:
        """A node has ended: when one of its commits was under way, that came to nothing."""
        chunk = self._under_way.pop(name, None)
        error = sys.exc_info()[1]
        if chunk is None or error is None:
            return
        # A server that is gone, or a run that was interrupted, leaves the note for the next run.
        with contextlib.suppress(Exception):
            table = self._book.known(chunk.subject.relation) or Table()
            self._book.unfinished(self._rows_of, chunk.subject, table, chunk.batch, ledger_rows.FAILED, message(error))
            run_marker.remove(self._notes, chunk.subject.relation)
