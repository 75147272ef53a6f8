"""Build a preview: dbt parses and compiles once, then EXPLAIN, the run ledger and the tables' histories are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import node_fingerprint
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.explain import dbt_model
from penstock.explain.dbt_model import Model
from penstock.plans import plan_store
from penstock.preview import node_actions, plan_comparison
from penstock.preview.code_changes import BuiltCode, NodeCodes
from penstock.preview.content import Code, NodePreview, Preview
from penstock.preview.next_run import NextRun, views_of
from penstock.preview.plan_comparison import PlanComparison
from penstock.preview.selection import Selection, downstream
from penstock.preview.warehouse import Warehouse, first_line
from penstock.spark.server import control


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
    _require_server(settings, manifest, progress)
    target_folder = Model(None, manifest).target_folder
    folders = [*([selection.state] if selection.state else []), target_folder]
    built = BuiltCode(manifest, target_folder, settings.target)
    progress("compiling models")
    explained = [name for name in names if _needs_plan(manifest, name, folders)]
    compiled = plan_comparison.compile_queries(
        settings, manifest, [*_views_to_compile(manifest, names, explained, built), *explained]
    )
    progress("asking Spark")
    warehouse = Warehouse(manifest)
    try:
        with warehouse.session("preview"):
            codes = NodeCodes(warehouse, built, compiled, modified)
            run = NextRun(settings, warehouse, target_folder, codes, names)
            nodes = [run.node(name) for name in names if manifest.nodes[name].config.materialized != "ephemeral"]
            to_explain = list(run.to_explain(explained))
        results = PlanComparison(warehouse, compiled, folders).compare(to_explain)
    except PenstockError:
        raise
    except DbtRuntimeError as error:
        raise PenstockError("answers of the target's server", first_line(error), "see `dbt debug`") from None
    finally:
        warehouse.close()
    changed = [node.unique_id for node in nodes if node.code in (Code.NEW, Code.CHANGED)]
    below = downstream(manifest, changed)
    return Preview(
        manifest.metadata.project_name,
        settings.target,
        str(selection.state) if selection.state else "the last run",
        tuple(_with_plan(replace(n, downstream_of=tuple(below.get(n.unique_id, ()))), results) for n in nodes),
        tuple(sorted(manifest.nodes[name].name for name in below if name not in names)),
    )


def _require_server(settings: Settings, manifest: Any, progress: Callable[[str], None]) -> None:
    """Start the target's server if penstock manages it, or else check that it answers.

    Raises:
        PenstockError: the server can't be started, or it doesn't answer.
    """
    if not control.is_remote(settings):
        control.up(settings, progress)
        return
    warehouse = Warehouse(manifest)
    try:
        with warehouse.session("preview"):
            warehouse.tuples("select 1")
    except DbtRuntimeError as error:
        raise PenstockError("a session on the target's server", first_line(error), "see `dbt debug`") from None
    finally:
        warehouse.close()


def _needs_plan(manifest: Any, name: str, folders: Sequence[Path]) -> bool:
    """Return whether a model's plan may differ from its captured plan."""
    node = manifest.nodes[name]
    if not plan_comparison.is_explained(node) or node_actions.is_microbatch(node):
        return False
    relation = node_fingerprint.relation_name(node)
    plans = (plan_store.read(folder, name) for folder in folders)
    earlier = next((plan for plan in plans if plan and plan.relation == relation), None)
    return earlier is None or earlier.code != node_fingerprint.fingerprint(manifest, name)


def _views_to_compile(manifest: Any, names: Sequence[str], explained: Sequence[str], built: BuiltCode) -> Iterator[str]:
    """Yield the selected views that explained models read, and the selected views without a record of their code."""
    read = {view for name in explained for view in views_of(manifest, name)}
    for name in names:
        is_view = manifest.nodes[name].config.materialized == "view"
        if is_view and (name in read or not built.is_known(name)):
            yield name


def _with_plan(node: NodePreview, results: dict[str, plan_comparison.PlanResult]) -> NodePreview:
    """Return a node with the comparison of its plan."""
    result = results.get(node.unique_id)
    if result is None:
        return node
    notes = (*node.notes, *([result.note] if result.note else []))
    return replace(node, plan=result.plan, plan_changes=result.changes, notes=notes)
