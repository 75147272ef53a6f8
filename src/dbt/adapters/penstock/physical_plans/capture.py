"""Capture the physical plan of each model that runs, and check the hints of a model's query before it runs."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock import node_fingerprint
from dbt.adapters.penstock.credentials import ConnectionMethod
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.physical_plans import pending_plans
from dbt.adapters.penstock.physical_plans.executed_plans import Collector
from dbt.adapters.penstock.physical_plans.pending_plans import PendingPlan
from dbt.adapters.penstock.query_comment import AUXILIARY, job_tag
from dbt.adapters.penstock.sent_statement import TimeLimit
from dbt.adapters.penstock.sessions import running_server
from penstock.plans import plan_store
from penstock.plans import query_text as sql
from penstock.plans.plan_parser import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

logger = AdapterLogger("penstock")
EXPLAIN = "explain formatted\n"
# dbt's invocation id, which a model's query may contain.
RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PlanCapture:
    """Captures the plans of one dbt run.

    Args:
        adapter: sends the statements.
    """

    def __init__(self, adapter: PenstockAdapter) -> None:
        self._adapter = adapter
        self._collector = Collector()
        self._thread = threading.local()

    @property
    def target(self) -> Path:
        """dbt's target folder."""
        return Path(self._adapter.config.project_root) / self._adapter.config.target_path

    def check_hints(self, node: Any) -> None:
        """Check the hints of a node's query, because Spark ignores unknown hints.

        Raises:
            AdapterError: a hint is unknown, or names an alias that the query does not have.
        """
        text = getattr(node, "compiled_code", None) or ""
        if "/*+" not in text:
            return
        try:
            hints = sql.hints(text)
        except sql.QueryParseError as error:
            logger.warning(f"{node.name}: its hints could not be checked: {error}")
            return
        for hint in hints:
            if hint.name not in sql.JOIN_HINTS and hint.name not in sql.PARTITION_HINTS:
                known = ", ".join((*sql.JOIN_HINTS, *sql.PARTITION_HINTS))
                raise AdapterError(f"a hint that Spark has, in {node.name}", hint.name, f"use one of {known}")
            if hint.dangling:
                raise AdapterError(
                    f"an alias of the same select for the hint {hint.name} in {node.name}",
                    f"{', '.join(f'`{name}`' for name in hint.dangling)}; this select has "
                    f"{', '.join(f'`{name}`' for name in hint.aliases) or 'no aliases'}",
                    "name one of these aliases; Spark ignores other names without a message",
                    entry="a-hint-has-an-unknown-alias",
                )

    def keep_plan(self, node: dict[str, Any], select: str, runs: bool = True) -> str:
        """Run EXPLAIN for a model's main statement and store the plan, before the statement runs.

        Args:
            node: the model.
            select: the query of the statement.
            runs: whether the statement will run. If it will not, there is no executed plan to fetch.
        """
        if not self._adapter.config.credentials.keep_plans:
            return ""
        name, run_id = node["unique_id"], get_invocation_id()
        if not runs:
            explained, missing = self._explain(name, select)
            self._store(name, explained, missing=missing)
            return ""

        tag = job_tag(name) if self._adapter.config.credentials.method == ConnectionMethod.CONNECT else ""

        def matches(description: str) -> bool:
            if tag:
                return description.startswith("Spark Connect")
            own = description.startswith("/*") and f'"{name}"' in description and run_id in description
            return own and AUXILIARY not in description

        explained, missing = self._unchanged_explanation(name) or self._explain(name, select)
        stored = self._store(name, explained, missing=missing)
        pending_plans.add(name, PendingPlan(explained, matches, tag, captured=stored))
        return ""

    def work_is_done(self) -> str:
        """Mark all further statements of this thread's node, such as post-hooks, as auxiliary."""
        self._thread.auxiliary = True
        return ""

    def mark(self, sql: str) -> str:
        """Return a statement, with the comment `AUXILIARY` in front if the statement is auxiliary."""
        return AUXILIARY + sql if getattr(self._thread, "auxiliary", False) else sql

    def has_plan(self, node: dict[str, Any]) -> bool:
        """Return whether a plan of a model's current code is stored."""
        captured = plan_store.read(self.target, node["unique_id"])
        return captured is not None and captured.code == node_fingerprint.fingerprint(
            self._adapter.get_macro_resolver(), node["unique_id"]
        )

    def _unchanged_explanation(self, name: str) -> tuple[str, str] | None:
        """Return a model's stored EXPLAIN output and why it is missing. If a new EXPLAIN is needed, return None.

        No new EXPLAIN is needed if the query is unchanged and the last executed plan was fetched, because the executed
        plan takes precedence over EXPLAIN's output. For a small model, the EXPLAIN that is left out would take a tenth
        of the model's time.
        """
        captured = plan_store.read(self.target, name)
        manifest: Any = self._adapter.get_macro_resolver()
        if captured is None or captured.executed is None:
            return None
        if captured.code != node_fingerprint.fingerprint(manifest, name):
            return None
        query = manifest.nodes[name].compiled_code or ""
        unchanged = RUN_ID.sub("", captured.sql) == RUN_ID.sub("", query)
        return (
            (captured.explained, captured.missing) if unchanged and (captured.explained or captured.missing) else None
        )

    def _explain(self, name: str, select: str) -> tuple[str, str]:
        """Return the output of EXPLAIN for a query. If it is missing because of a setting, also return this reason.

        For a query over many nested views, EXPLAIN may take as long as the model itself. So this EXPLAIN has a time
        limit.
        """
        limit = TimeLimit(self._adapter.config.credentials.explain_seconds, "explain_seconds")
        if not limit.seconds:
            return "", "explain_seconds is 0 in profiles.yml"
        try:
            with self._adapter.connections.time_limit(limit):
                _, table = self._adapter.execute(EXPLAIN + select, fetch=True)
            text = str(table.rows[0][0])
            parse(text)
            return text, ""
        except (DbtRuntimeError, NotAPlan) as error:
            if limit.exceeded:
                missing = f"EXPLAIN was cancelled after {limit.seconds:g} s (explain_seconds in profiles.yml)"
                logger.warning(f"{name.rsplit('.', 1)[-1]}: {missing}; its plan is captured after the model ran")
                return "", missing
            # The model's main statement will raise the same error.
            logger.debug(f"not explained: {error}")
            return "", ""

    def _store(
        self, name: str, explained: str, executed: ExecutedPlan | None = None, missing: str = ""
    ) -> CapturedPlan:
        manifest: Any = self._adapter.get_macro_resolver()
        node = manifest.nodes[name]
        query = node.compiled_code if node.language == "sql" else ""
        views = node_fingerprint.views(manifest, name)
        relation, code = node_fingerprint.relation_name(node), node_fingerprint.fingerprint(manifest, name)
        captured = CapturedPlan(name, relation, code, query or "", views, explained, executed, missing)
        try:
            plan_store.write(self.target, captured)
        except OSError as error:
            logger.warning(f"the plan of {node.name} could not be stored: {error}")
        return captured

    def finish_node(self, name: str) -> None:
        """Store the plan of a node that has ended, and request its executed plan."""
        self._thread.auxiliary = False
        pending = pending_plans.pop(name)
        if pending is None:
            return
        captured = pending.captured or self._store(name, pending.explained, pending.executed)
        # dbt calls this method in a `finally` block. An exception means that the node failed, so its plan ran only
        # partly.
        if sys.exc_info()[0] is not None:
            return
        credentials = self._adapter.config.credentials
        ui = credentials.ui_url
        if credentials.managed:
            server = running_server(credentials)
            ui = server.ui_link if server else None
        if ui and pending.matches:
            self._collector.collect(self.target, captured, ui, pending.matches, pending.job_tag)

    def wait(self, node: str | None = None) -> None:
        """Wait until the executed plans of a node, or of all nodes, have been fetched."""
        self._collector.wait(*([node] if node else []))
