"""What the next run would do, node by node in the order of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbt.adapters.penstock import node_fingerprint
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.explain.dbt_model import Model
from penstock.intervals.model_config import is_interval
from penstock.intervals.planned_commits import IntervalPlan
from penstock.preview import node_actions
from penstock.preview.code_changes import NodeCodes
from penstock.preview.content import Action, Code, Expected, NodePreview
from penstock.preview.history import History
from penstock.preview.interval_plans import IntervalPlans
from penstock.preview.plan_comparison import ToExplain
from penstock.preview.selection import parents
from penstock.preview.warehouse import Warehouse

PYTHON_PLAN = "plan unknown until it runs"
MICROBATCH_PLAN = "its plan is not compared: dbt chooses its batches when it runs"


def views_of(manifest: Any, name: str) -> Iterator[str]:
    """Yield the views that a node reads, directly or through views, each after the views that it reads itself."""
    for parent in parents(manifest.nodes[name]):
        node = manifest.nodes.get(parent)
        if node is not None and not node_fingerprint.is_stored(node):
            yield from views_of(manifest, parent)
            if node.config.materialized == "view":
                yield parent


def _stored(manifest: Any, name: str) -> Iterator[Any]:
    """Yield the nodes of the stored tables that a node reads, directly or through views."""
    for parent in parents(manifest.nodes[name]):
        node = manifest.nodes.get(parent)
        if node is None:
            continue
        if node_fingerprint.is_stored(node):
            yield node
        else:
            yield from _stored(manifest, parent)


class NextRun:
    """The actions of the next run.

    Call `node` in the order of the graph, because the plan of an interval model depends on its upstream models.

    Args:
        settings: the settings of the target.
        warehouse: runs statements.
        target_folder: dbt's target folder.
        codes: the existing relations, and which code has changed.
        names: unique ids of the selected nodes.
    """

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse,
        target_folder: Path,
        codes: NodeCodes,
        names: Sequence[str],
    ) -> None:
        self._warehouse, self._manifest, self._codes = warehouse, warehouse.manifest, codes
        self._selected = set(names)
        self._history = History(warehouse, target_folder, settings.target)
        self._intervals = IntervalPlans(settings, warehouse, target_folder)
        self._plans: dict[str, IntervalPlan | None] = {}

    def node(self, name: str) -> NodePreview:
        """Return what the run would do with a node, without its plan."""
        node = self._manifest.nodes[name]
        above = (self._manifest.nodes.get(item) or self._manifest.sources.get(item) for item in parents(node))
        base = NodePreview(
            name,
            node.name,
            node.resource_type,
            node.config.materialized,
            getattr(node, "language", "sql"),
            node_fingerprint.relation_name(node),
            self._codes.code(name),
            inputs=tuple(sorted(node_fingerprint.relation_name(item) for item in above if item is not None)),
        )
        filled = self._interval_model(node, base) if is_interval(node) else self._other(node, base)
        note = PYTHON_PLAN if base.language == "python" else ""
        note = MICROBATCH_PLAN if not note and node_actions.is_microbatch(node) else note
        return replace(filled, notes=(*filled.notes, *([note] if note else [])))

    def _interval_model(self, node: Any, base: NodePreview) -> NodePreview:
        existing = self._codes.find(node.unique_id)
        self._plans[node.unique_id] = None
        try:
            plan = self._intervals.plan(node, existing)
        except PenstockError as error:
            return replace(base, notes=(f"its intervals are unknown: needed {error.needed}, found {error.found}",))
        self._plans[node.unique_id] = plan
        action, reason = node_actions.interval_action(node, existing is not None, plan)
        stale = node_actions.intervals(node, plan)
        expected = Expected()
        if stale:
            expected = self._history.of_intervals(self._intervals.ledger.relation, base.relation, len(stale))
        code = base.code
        if code is Code.UNKNOWN and plan.built:
            code = Code.CHANGED if plan.older_code or "code changed" in plan.reasons.values() else Code.UNCHANGED
        notes = tuple(plan.warning.splitlines())
        return replace(base, code=code, action=action, reason=reason, intervals=stale, expected=expected, notes=notes)

    def _other(self, node: Any, base: NodePreview) -> NodePreview:
        existing = self._codes.find(node.unique_id)
        action, reason = node_actions.other_action(node, existing, base.code)
        if action is Action.NOTHING:
            return replace(base, action=action)
        is_delta = bool(existing is not None and existing.is_table)
        whole = action in (Action.CREATE, Action.REBUILD, Action.LOAD)
        expected = self._history.of_run(node.unique_id, base.relation, is_delta, whole)
        return replace(base, action=action, reason=reason, expected=expected)

    def to_explain(self, names: Sequence[str]) -> Iterator[ToExplain]:
        """Yield the models whose query EXPLAIN can plan now."""
        for name in names:
            node = self._manifest.nodes[name]
            if is_interval(node) and self._plans.get(name) is None:
                continue
            missing = {
                node_fingerprint.relation_name(item)
                for item in _stored(self._manifest, name)
                if self._codes.find(item.unique_id) is None
            }
            yield ToExplain(node, self._query_of_run(node), self._replaced_views(name), tuple(sorted(missing)))

    def _replaced_views(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the views that a node reads and that the run would create or replace, for `with_view_queries`."""
        compiled = self._codes.compiled
        return {
            self._manifest.nodes[view].name: (self._rendered(view), compiled[view])
            for view in dict.fromkeys(views_of(self._manifest, name))
            if view in self._selected and compiled.get(view) and self._codes.code(view) is not Code.UNCHANGED
        }

    def _query_of_run(self, node: Any) -> Callable[[str], str]:
        """Return the function that turns a compiled query into the query of the run's main statement."""
        plan, model = self._plans.get(node.unique_id), Model(node, self._manifest)
        exists = self._codes.find(node.unique_id) is not None

        def query(sql: str) -> str:
            if plan is not None:
                commit = next((commit for commit in plan.commits if commit.intervals), None)
                sql = commit.compiled(sql) if commit else plan.example(sql)
            return model.with_write_order(sql) if node_actions.writes_in_order(node, exists) else sql

        return query

    def _rendered(self, name: str) -> str:
        """Return a node's relation in the form in which compiled queries contain it."""
        adapter = self._warehouse.adapter
        return str(adapter.Relation.create_from(adapter.config, self._manifest.nodes[name]))
