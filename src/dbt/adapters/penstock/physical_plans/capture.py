"""A plan is kept of each model that runs, and its hints are checked before."""

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
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.physical_plans import pending_plans
from dbt.adapters.penstock.physical_plans.executed_plans import Collector
from dbt.adapters.penstock.physical_plans.pending_plans import Noted
from dbt.adapters.penstock.query_comment import ASIDE
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
# dbt's invocation id, which a model may write into its rows.
RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PlanCapture:
    """The plans of one dbt run: captured for each model, with its hints checked before.

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
        """Refuse a hint that Spark would pass over in silence: unknown, or for a side that isn't there.

        Raises:
            DbtRuntimeError: names the hint, what it names, and what the query has.
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
                    f"a side of the join by that name for the hint {hint.name} in {node.name}",
                    f"{', '.join(f'`{name}`' for name in hint.dangling)} among "
                    f"{', '.join(hint.aliases) or 'no sides at all'}, which Spark would ignore without a word",
                    "name an alias of the FROM clause that the hint's own select has",
                )

    def keep_plan(self, node: dict[str, Any], select: str, runs: bool = True) -> str:
        """Explain a model's main statement just before it runs, and keep its plan.

        Args:
            node: the model.
            select: the query of the statement.
            runs: whether it runs at all; otherwise no executed plan is looked for.
        """
        if not self._adapter.config.credentials.keep_plans:
            return ""
        name, run = node["unique_id"], get_invocation_id()
        if not runs:
            self._keep(name, self._explained(select))
            return ""

        def matches(description: str) -> bool:
            own = description.startswith("/*") and f'"{name}"' in description and run in description
            return own and ASIDE not in description

        explained = self._known(name) or self._explained(select)
        pending_plans.note(name, Noted(explained, matches, kept=self._keep(name, explained)))
        return ""

    def work_is_done(self) -> str:
        """What this thread's node sends from now on, as its post-hooks do, isn't taken for its own work."""
        self._thread.aside = True
        return ""

    def mark(self, sql: str) -> str:
        """Return a statement, marked when it isn't its node's own work."""
        return ASIDE + sql if getattr(self._thread, "aside", False) else sql

    def has_plan(self, node: dict[str, Any]) -> bool:
        """Whether the plan that is kept of a model is that of its code as it is now."""
        found = plan_store.read(self.target, node["unique_id"])
        return found is not None and found.code == node_fingerprint.fingerprint(
            self._adapter.get_macro_resolver(), node["unique_id"]
        )

    def _known(self, name: str) -> str:
        """What EXPLAIN said of a model when it last ran, while its query is the same and its executed plans are got.

        The plan that runs is fetched afterwards and goes before it, so that asking again, a tenth of
        a small model's cost, would tell nothing.
        """
        found = plan_store.read(self.target, name)
        manifest: Any = self._adapter.get_macro_resolver()
        if found is None or found.executed is None or found.code != node_fingerprint.fingerprint(manifest, name):
            return ""
        query = manifest.nodes[name].compiled_code or ""
        return found.explained if RUN_ID.sub("", found.sql) == RUN_ID.sub("", query) else ""

    def _explained(self, select: str) -> str:
        try:
            _, table = self._adapter.execute(EXPLAIN + select, fetch=True)
            text = str(table.rows[0][0])
            parse(text)
            return text
        except (DbtRuntimeError, NotAPlan) as error:
            # The statement itself meets the same error, and says so.
            logger.debug(f"not explained: {error}")
            return ""

    def _keep(self, name: str, explained: str, executed: ExecutedPlan | None = None) -> CapturedPlan:
        manifest: Any = self._adapter.get_macro_resolver()
        node = manifest.nodes[name]
        query = node.compiled_code if node.language == "sql" else ""
        views = node_fingerprint.views(manifest, name)
        fingerprint = node_fingerprint.fingerprint(manifest, name)
        plan = CapturedPlan(name, node_fingerprint.name_of(node), fingerprint, query or "", views, explained, executed)
        try:
            plan_store.write(self.target, plan)
        except OSError as error:
            logger.warning(f"the plan of {node.name} could not be kept: {error}")
        return plan

    def keep_executed(self, name: str) -> None:
        """A node has run: keep what was noted of it, and have the plan that ran fetched."""
        self._thread.aside = False
        noted = pending_plans.take(name)
        if noted is None:
            return
        plan = noted.kept or self._keep(name, noted.explained, noted.executed)
        # dbt asks in its `finally`: with an error on its way the node has failed, and no plan ran to its end.
        if sys.exc_info()[0] is not None:
            return
        credentials = self._adapter.config.credentials
        ui = credentials.ui_url
        if credentials.managed:
            server = running_server(credentials)
            ui = server.ui_link if server else None
        if ui and noted.matches:
            self._collector.collect(self.target, plan, ui, noted.matches)

    def wait(self, node: str | None = None) -> None:
        """Wait until the executed plans of a node, or of all nodes, have been fetched."""
        self._collector.wait(*([node] if node else []))
