"""Build a preview: one parse and one compilation by dbt, then EXPLAIN, the run ledger and the tables' histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbt.adapters.penstock import node_fingerprint
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.explain import dbt_model
from penstock.explain.dbt_model import Model
from penstock.intervals.model_config import is_interval
from penstock.intervals.planned_commits import IntervalPlan
from penstock.preview import node_actions, plan_comparison
from penstock.preview.code_changes import BuiltCode
from penstock.preview.content import Action, Code, Expected, NodePreview, Preview
from penstock.preview.history import History
from penstock.preview.interval_plans import IntervalPlans
from penstock.preview.plan_comparison import PlanComparison, ToExplain
from penstock.preview.selection import Selection, downstream, parents
from penstock.preview.warehouse import Warehouse
from penstock.spark.server import control

PYTHON_PLAN = "plan unknown until it runs"
MICROBATCH_PLAN = "its plan is not compared: dbt chooses its batches when it runs"


def build_preview(settings: Settings, selection: Selection, progress: Callable[[str], None]) -> Preview:
    """Return what the next run of the selected nodes would do.

    Args:
        settings: the settings of the target.
        selection: the options that choose nodes.
        progress: called with a short text before each slow step.

    Raises:
        PenstockError: there is no dbt project, dbt can't parse it, the selection matches nothing, the state folder has
            no manifest, or the server can't be started.
    """
    selection.check_state()
    progress("reading the project")
    manifest = dbt_model.parse_project(settings)
    names = selection.nodes(settings, manifest)
    modified = selection.modified(settings, manifest) if selection.state else None
    target_folder = Model(None, manifest).target_folder
    folders = [*([selection.state] if selection.state else []), target_folder]
    if not control.is_remote(settings):
        control.up(settings, progress)
    progress("compiling models")
    explained = [name for name in names if _needs_plan(manifest, name, folders)]
    views = {view: None for name in explained for view in _views(manifest, name)}
    compiled = plan_comparison.compile_queries(settings, manifest, [*views, *explained])
    progress("asking Spark")
    warehouse = Warehouse(manifest)
    try:
        with warehouse.session("preview"):
            run = _NextRun(settings, warehouse, target_folder, modified)
            nodes = [run.node(name) for name in names if manifest.nodes[name].config.materialized != "ephemeral"]
            changed = [node.unique_id for node in nodes if node.code in (Code.NEW, Code.CHANGED)]
        comparison = PlanComparison(warehouse, compiled, folders)
        results = comparison.compare(list(run.to_explain(explained, compiled)))
    finally:
        warehouse.close()
    below = downstream(manifest, changed)
    return Preview(
        manifest.metadata.project_name,
        settings.target,
        str(selection.state) if selection.state else "the last run",
        tuple(_with_plan(replace(n, downstream_of=tuple(below.get(n.unique_id, ()))), results) for n in nodes),
        tuple(sorted(manifest.nodes[name].name for name in below if name not in names)),
    )


def _needs_plan(manifest: Any, name: str, folders: Sequence[Path]) -> bool:
    """Return whether a model's plan may differ from its captured plan."""
    node = manifest.nodes[name]
    if not plan_comparison.is_explained(node) or node_actions.is_microbatch(node):
        return False
    earlier = plan_comparison.earlier_plan(manifest, name, folders)
    return earlier is None or earlier.code != node_fingerprint.fingerprint(manifest, name)


def _views(manifest: Any, name: str) -> Iterator[str]:
    """Yield the views that a node reads, directly or through views, each after the views that it reads itself."""
    for parent in parents(manifest.nodes[name]):
        node = manifest.nodes.get(parent)
        if node is not None and not node_fingerprint.is_stored(node):
            yield from _views(manifest, parent)
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


def _with_plan(node: NodePreview, results: dict[str, plan_comparison.PlanResult]) -> NodePreview:
    """Return a node with the comparison of its plan."""
    result = results.get(node.unique_id)
    if result is None:
        return node
    notes = (*node.notes, *([result.note] if result.note else []))
    return replace(node, plan=result.plan, plan_changes=result.changes, notes=notes)


class _NextRun:
    """The actions of the next run, node by node in the order of the graph."""

    def __init__(
        self, settings: Settings, warehouse: Warehouse, target_folder: Path, modified: dict[str, Code] | None
    ) -> None:
        self._warehouse, self._manifest, self._modified = warehouse, warehouse.manifest, modified
        self._built = BuiltCode(self._manifest, target_folder, settings.target)
        self._history = History(warehouse, target_folder, settings.target)
        self._intervals = IntervalPlans(settings, warehouse, target_folder)
        self._plans: dict[str, IntervalPlan | None] = {}
        self._existing: dict[str, Any] = {}

    def _find(self, name: str) -> Any:
        if name not in self._existing:
            self._existing[name] = self._warehouse.find(self._manifest.nodes[name])
        return self._existing[name]

    def _code(self, name: str) -> Code:
        if self._modified is not None:
            return self._modified.get(name, Code.UNCHANGED)
        return self._built.compare(name, self._find(name) is not None)

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
            self._code(name),
            inputs=tuple(sorted(node_fingerprint.relation_name(item) for item in above if item is not None)),
        )
        filled = self._interval_model(node, base) if is_interval(node) else self._other(node, base)
        note = PYTHON_PLAN if base.language == "python" else ""
        note = MICROBATCH_PLAN if not note and node_actions.is_microbatch(node) else note
        return replace(filled, notes=(*filled.notes, *([note] if note else [])))

    def _interval_model(self, node: Any, base: NodePreview) -> NodePreview:
        existing = self._find(node.unique_id)
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
        existing = self._find(node.unique_id)
        action, reason = node_actions.other_action(node, existing, base.code)
        if action is Action.NOTHING:
            return replace(base, action=action)
        is_delta = bool(existing is not None and existing.is_table)
        whole = action in (Action.CREATE, Action.REBUILD, Action.LOAD)
        expected = self._history.of_run(node.unique_id, base.relation, is_delta, whole)
        return replace(base, action=action, reason=reason, expected=expected)

    def to_explain(self, names: Sequence[str], compiled: dict[str, str]) -> Iterator[ToExplain]:
        """Yield the models whose query EXPLAIN can plan now."""
        for name in names:
            node = self._manifest.nodes[name]
            if is_interval(node) and self._plans.get(name) is None:
                continue
            views = {
                self._manifest.nodes[view].name: (self._rendered(view), compiled[view])
                for view in dict.fromkeys(_views(self._manifest, name))
                if compiled.get(view) and self._code(view) is not Code.UNCHANGED
            }
            missing = {
                node_fingerprint.relation_name(item)
                for item in _stored(self._manifest, name)
                if self._find(item.unique_id) is None
            }
            yield ToExplain(node, self._query_of_run(node), views, tuple(sorted(missing)))

    def _query_of_run(self, node: Any) -> Callable[[str], str]:
        """Return what turns a compiled query into the query of the run's main statement."""
        plan, model = self._plans.get(node.unique_id), Model(node, self._manifest)
        exists = self._find(node.unique_id) is not None

        def query(sql: str) -> str:
            if plan is not None:
                commit = next((commit for commit in plan.commits if commit.intervals), None)
                sql = commit.compiled(sql) if commit else plan.example(sql)
            return model.with_write_order(sql) if node_actions.writes_in_order(node, exists) else sql

        return query

    def _rendered(self, name: str) -> str:
        """Return a node's relation as compiled queries have it."""
        adapter = self._warehouse.adapter
        return str(adapter.Relation.create_from(adapter.config, self._manifest.nodes[name]))
