"""Compare the plan that EXPLAIN gives for a model now with the output of EXPLAIN that its last run captured."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbt.adapters.penstock import node_fingerprint
from penstock.config import dbt_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.explain import plan_changes
from penstock.explain.builder import build_explanation
from penstock.explain.dbt_model import Model
from penstock.explain.explanation import Explanation
from penstock.explain.model_explanation import explain_query
from penstock.explain.plan_changes import PlanChange
from penstock.explain.server_facts import Rows, ServerFacts
from penstock.plans import plan_store
from penstock.plans.plan_parser import NotAPlan
from penstock.plans.plan_store import CapturedPlan
from penstock.preview.query_hints import invalid_hints
from penstock.preview.view_queries import with_view_queries
from penstock.preview.warehouse import Warehouse

SESSIONS = 4
SAME, CHANGED, NEW, NOT_COMPARED = "same", "changed", "new", "not compared"


@dataclass(frozen=True)
class PlanResult:
    """The outcome of one comparison: values for `NodePreview.plan` and `NodePreview.plan_changes`, and a note."""

    plan: str
    changes: tuple[PlanChange, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ToExplain:
    """A model to explain.

    Attributes:
        node: dbt's node.
        for_run: takes the compiled query, and returns the query of the run's main statement.
        views: the views that the run would create or replace, as `with_view_queries` takes them.
        missing: the stored tables that the model reads and that don't exist.
    """

    node: Any
    for_run: Callable[[str], str]
    views: Mapping[str, tuple[str, str]]
    missing: tuple[str, ...] = ()


def is_explained(node: Any) -> bool:
    """Return whether a node's main statement has a plan that is known before it runs."""
    return node.resource_type == "model" and node.language == "sql" and node_fingerprint.is_stored(node)


def earlier_plan(manifest: Any, unique_id: str, folders: Sequence[Path]) -> CapturedPlan | None:
    """Return the first captured plan of a model's table that has the output of EXPLAIN; None if no folder has one.

    Args:
        manifest: dbt's manifest.
        unique_id: dbt's unique id.
        folders: target folders, the preferred one first.
    """
    relation = node_fingerprint.relation_name(manifest.nodes[unique_id])
    plans = (plan_store.read(folder, unique_id) for folder in folders)
    return next((plan for plan in plans if plan and plan.explained and plan.relation == relation), None)


def compile_queries(settings: Settings, manifest: Any, names: Sequence[str]) -> dict[str, str]:
    """Return the compiled queries of nodes by unique id. A node that dbt can't compile is missing."""
    if not names:
        return {}
    options = [part for name in names for part in ("--select", ".".join(manifest.nodes[name].fqn))]
    try:
        result = dbt_command.invoke(
            settings.root, manifest, "compiled queries", "compile", *options, "--indirect-selection", "empty"
        )
    except PenstockError:
        if len(names) == 1:
            return {}
        return {name: sql for one in names for name, sql in compile_queries(settings, manifest, [one]).items()}
    return {item.node.unique_id: item.node.compiled_code or "" for item in result.results}


class PlanComparison:
    """Explains models in a few sessions at a time.

    Args:
        warehouse: runs statements.
        compiled: the compiled queries by unique id.
        folders: the folders with earlier captured plans, the preferred one first.
    """

    def __init__(self, warehouse: Warehouse, compiled: Mapping[str, str], folders: Sequence[Path]) -> None:
        self._warehouse, self._compiled, self._folders = warehouse, compiled, folders
        self._described: dict[str, Rows] = {}

    def compare(self, models: Sequence[ToExplain]) -> dict[str, PlanResult]:
        """Return the result of each model, by unique id."""
        # dbt keeps facts about the command in context variables. A new thread doesn't have them, so copy the context.
        contexts = [contextvars.copy_context() for _ in models]
        with ThreadPoolExecutor(SESSIONS) as pool:
            results = pool.map(lambda context, item: context.run(self._compare, item), contexts, models)
            return {item.node.unique_id: result for item, result in zip(models, results, strict=True)}

    def _compare(self, item: ToExplain) -> PlanResult:
        name = item.node.unique_id
        sql = self._compiled.get(name)
        if not sql:
            note = f"its plan is unknown: dbt can't compile it now, see `dbt compile --select {item.node.name}`"
            return PlanResult(NOT_COMPARED, note=note)
        if hints := tuple(invalid_hints(sql)):
            return PlanResult(NOT_COMPARED, hints)
        if item.missing:
            listed = ", ".join(item.missing)
            return PlanResult(NOT_COMPARED, note=f"its plan is unknown: {listed} does not exist yet")
        try:
            return self._explain(item, sql)
        except PenstockError as error:
            return PlanResult(NOT_COMPARED, note=f"its plan is unknown: {error.found}")

    def _explain(self, item: ToExplain, sql: str) -> PlanResult:
        """Return the differences between the plan of a query now and its captured plan.

        Raises:
            PenstockError: Spark can't explain the query.
        """
        model = Model(item.node, self._warehouse.manifest)
        views = node_fingerprint.views(self._warehouse.manifest, item.node.unique_id)
        compiled = CapturedPlan(item.node.unique_id, "", model.fingerprint, sql, views)
        select = with_view_queries(item.for_run(sql), item.views)
        with self._warehouse.session(f"preview {model.name}", model.spark_conf):
            now = self._explanation(explain_query(compiled, select, self._warehouse.rows_in_time), item.views)
            earlier = earlier_plan(self._warehouse.manifest, item.node.unique_id, self._folders)
            if earlier is None:
                return PlanResult(NEW, plan_changes.ignored_hints(now), self._missing(item.node.unique_id))
            try:
                before = self._explanation(replace(earlier, executed=None), {})
            except NotAPlan:
                return PlanResult(NEW, plan_changes.ignored_hints(now))
        changes = plan_changes.compare(before, now)
        return PlanResult(CHANGED if changes else SAME, changes)

    def _missing(self, name: str) -> str:
        """Return a note on why the last run captured no output of EXPLAIN; empty if there was no run."""
        captured = plan_store.read(self._folders[-1], name)
        return f"no earlier plan to compare with: {captured.missing}" if captured and captured.missing else ""

    def _explanation(self, captured: CapturedPlan, views: Mapping[str, tuple[str, str]]) -> Explanation:
        """Return the explanation of a plan. The comparison needs only one kind of server fact: the queries of views."""
        queries = {relation.lower(): query for relation, query in views.values()}

        def view_query(sql: str) -> Rows:
            name = sql.removeprefix("describe extended ").replace("`", "").lower()
            if name in queries:
                return [{"col_name": "View Text", "data_type": queries[name]}]
            if not sql.startswith("describe extended "):
                return []
            if name not in self._described:
                self._described[name] = self._warehouse.rows(sql)
            return self._described[name]

        return build_explanation(captured, "", ServerFacts(view_query, {}), "", is_stored=False)
