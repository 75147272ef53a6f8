"""Run interval models: plan the commits, and record each commit in the run ledger.

A commit is one atomic write of some intervals. The run ledger is the table that records which inputs each interval was
built from.
"""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock.errors import AdapterError, as_dbt_errors
from dbt.adapters.penstock.interval_models import requested_intervals, table_checks
from dbt.adapters.penstock.interval_models.manifest_graph import ManifestGraph
from dbt.adapters.penstock.interval_models.sources import IntervalSources
from dbt.adapters.penstock.query_comment import AUXILIARY
from penstock.delta import log, replace_where_error
from penstock.delta.conflicts import create_if_missing, is_conflict, retry_on_conflict
from penstock.iceberg import row_check
from penstock.intervals import commit_metadata, ledger_table, run_marker
from penstock.intervals.grain import format_intervals
from penstock.intervals.plan_messages import error_cell
from penstock.intervals.planned_commits import WRITE_OPTIONS, IntervalPlan, PlannedCommit
from penstock.intervals.planner import IntervalPlanner
from penstock.intervals.run_ledger import RunLedger
from penstock.intervals.table_state import IntervalTable
from penstock.sql.names import quote_identifier

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

logger = AdapterLogger("penstock")


class BuiltByAnotherRun(Exception):
    """Another run has built the same intervals from the same inputs."""


class IntervalRunner:
    """Runs the interval models of one dbt run.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter
        self.sources = IntervalSources(lambda: adapter.config.credentials.settings)
        self._ledger = RunLedger(f"{adapter.config.credentials.schema}.{ledger_table.TABLE}", self.find_log)
        # The running commit of each node, by the node's unique id.
        self._running: dict[str, PlannedCommit] = {}
        # The rows that each node wrote in this run, by the node's unique id.
        self.rows_written: dict[str, int] = {}
        # Whether this run has planned an interval model.
        self._planned = False

    def rows(self, sql: str) -> Any:
        """Send an auxiliary statement, and return the rows of its result."""
        return self._adapter.execute(AUXILIARY + sql, fetch=True)[1].rows

    def find_log(self, relation: str) -> Path | None:
        """Return the folder of a table's Delta log, or None if the folder isn't on this machine.

        If this run may have changed the table, the result is None too, so that the caller gets the history from the
        server.
        """
        adapter = self._adapter
        if not adapter.config.credentials.managed or adapter.connections.descriptions.changed(relation):
            return None
        schema, _, name = relation.partition(".")
        known = [item for item in adapter.cache.get_relations(None, schema) if str(item.identifier).lower() == name]
        return log.log_folder(getattr(known[0], "information", None) or "") if known else None

    def _table_format(self, name: str | None, database: str | None) -> str:
        """Return the name of a node's table format."""
        return self._adapter.writer.table_format(name, database).name

    @property
    def _markers(self) -> Path:
        return Path(self._adapter.config.project_root) / self._adapter.config.target_path

    @as_dbt_errors()
    def register_sources(self) -> str:
        """Register the tables of the project's interval sources with Spark, and return messages for the log.

        Raises:
            AdapterError: a file of an interval source is damaged.
        """

        def run_sql(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in self._adapter.execute(sql, fetch=True)[1].rows]

        sources = self.sources.configured()
        if sources:
            table_checks.require_spark_catalog("the tables of the lake")
        messages = [source.register(run_sql) for source in sources]
        return "; ".join(messages) or "no lake.yml: nothing to register"

    @as_dbt_errors()
    def plan(self, node: dict[str, Any], existing: BaseRelation | None, full_refresh: bool) -> IntervalPlan:
        """Return the plan of an interval model: the commits of this run, and the intervals of each commit.

        Args:
            node: the model.
            existing: the existing relation with the model's name, or None if no such relation exists.
            full_refresh: whether the command requests a full refresh of the model.

        Raises:
            AdapterError: the configuration is invalid, no input has intervals, or a file of an interval source is
                damaged.
        """
        table_checks.check(node, self._table_format(node["config"].get("file_format"), node.get("database")))
        self._planned = True
        adapter, arguments = self._adapter, self._adapter.config.args

        def exists(database: Any, schema: str, name: str) -> bool:
            return adapter.get_relation(database, schema, name) is not None

        graph = ManifestGraph(adapter.get_macro_resolver(), self.sources, arguments, exists, self._table_format)
        planner = IntervalPlanner(
            self._ledger, self.sources, graph, self.rows, self._markers, get_invocation_id(), logger.info
        )
        return planner.plan(
            node["unique_id"],
            existing is not None and bool(existing.is_table),
            lambda grain: requested_intervals.parse_requested_intervals(arguments, grain, full_refresh),
            requested_intervals.partial_option(arguments),
        )

    def begin(self, node: dict[str, Any], planned: PlannedCommit) -> PlannedCommit:
        """Begin a commit: write the run marker, and set the commit's metadata in the session.

        The run marker is a file. If this run is killed, a later run finds the file and records the commit as
        interrupted.
        """
        started = replace(planned.commit, started=datetime.now(timezone.utc))
        planned = replace(planned, commit=started, began=time.monotonic())
        relation, commit = planned.model.relation, planned.commit
        run_marker.write(self._markers, relation, commit.commit_id, commit.run_id, planned.intervals, commit.started)
        self._running[node["unique_id"]] = planned
        if node["language"] == "sql":
            setting = commit_metadata.SETTINGS[planned.model.table_format]
            self.rows(f"set {quote_identifier(setting)}={planned.metadata}")
        return planned

    def create_table(self, relation: BaseRelation, columns: list[Any], clauses: str) -> None:
        """Create an empty table unless the table exists. Another run may create the table at the same time.

        Args:
            relation: the table.
            columns: the table's columns.
            clauses: the clauses of `create table` after the columns.
        """
        types = {item.quoted: item.data_type for item in columns}
        create_if_missing(self._adapter.execute, str(relation), types, clauses)

    @as_dbt_errors()
    def write(self, sql: str, planned: PlannedCommit) -> AdapterResponse:
        """Send the statement that replaces a commit's intervals.

        After a conflict with another run, the statement is sent again. If the other run built the same intervals from
        the same inputs, nothing is sent.

        Raises:
            AdapterError: other runs committed first in each attempt, a row belongs to another interval, or a file of an
                interval source is damaged.
        """
        attempts = 0

        def send() -> AdapterResponse:
            nonlocal attempts
            attempts += 1
            if attempts > 1 and self._built_by_another_run(planned):
                raise BuiltByAnotherRun
            options = self._ledger.write_options(planned.model)
            return self._adapter.execute(sql.replace(WRITE_OPTIONS, options))[0]

        name, intervals = planned.model.name, format_intervals(planned.intervals, planned.model.grain)
        try:
            return retry_on_conflict(send)
        except BuiltByAnotherRun:
            logger.info(f"{name}: another run built {intervals} from the same inputs; nothing is left to write")
            return AdapterResponse(_message="OK")
        except DbtRuntimeError as error:
            if is_conflict(error):
                raise AdapterError(
                    f"no other run that writes {intervals} of {name} at the same time",
                    f"one whose commits came first each time ({error_cell(error)})",
                    "wait until it has ended, then type `dbt run` again: it builds what is missing",
                    entry="another-run-writes-the-same-model",
                ) from None
            for module in (replace_where_error, row_check):
                if parts := module.error_parts(error, planned.condition):
                    raise AdapterError(*parts) from None
            raise

    def _built_by_another_run(self, planned: PlannedCommit) -> bool:
        """Return whether another commit built the same intervals from the same inputs and code."""
        state, own = self._ledger.table(self.rows, planned.model, refresh=True).state, planned.commit
        return bool(own.intervals) and all(
            (built := state.built.get(day)) is not None
            and built.commit_id != own.commit_id
            and dict(built.inputs) == dict(inputs)
            and built.code == own.code
            for day, inputs in own.intervals.items()
        )

    @as_dbt_errors()
    def done(self, node: dict[str, Any], planned: PlannedCommit) -> str:
        """Record a successful commit, and return a message if another run's commit made the commit unnecessary.

        Raises:
            AdapterError: a file of an interval source is damaged.
        """
        seconds = time.monotonic() - planned.began
        table = self._ledger.record_written(
            self.rows, planned.model, planned.commit, seconds, planned.reasons, planned.full_refresh
        )
        self._running.pop(node["unique_id"], None)
        run_marker.remove(self._markers, planned.model.relation)
        if table:
            built = [table.state.built.get(day) for day in planned.commit.intervals]
            rows = self.rows_written.get(node["unique_id"], 0)
            self.rows_written[node["unique_id"]] = rows + sum(interval.rows or 0 for interval in built if interval)
        return "" if table else "built by another run"

    def log_interrupted(self) -> None:
        """Log which commits Ctrl-C interrupts, and what the user can do next."""
        if not self._planned:
            return
        for planned in list(self._running.values()):
            name, intervals = planned.model.name, format_intervals(planned.intervals, planned.model.grain)
            logger.info(f"{name}: interrupted while it built {intervals}; its table has all of it or none of it")
        logger.info("the run was stopped: `dbt run` builds what is missing")

    def record_failed(self, unique_id: str) -> None:
        """Record a failed commit, if a commit was running when the node ended with an error."""
        planned = self._running.pop(unique_id, None)
        error = sys.exc_info()[1]
        if planned is None or error is None:
            return
        # If the server is down or the run is interrupted, the run marker remains, and the next run records the commit.
        with contextlib.suppress(Exception):
            table = self._ledger.known(planned.model.relation) or IntervalTable()
            self._ledger.record_failed(
                self.rows, planned.model, table, planned.commit, ledger_table.FAILED, error_cell(error)
            )
            run_marker.remove(self._markers, planned.model.relation)
