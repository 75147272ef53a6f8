"""What a run does with each kind of node, which code is changed, and what is expected from history."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dbt.adapters.penstock import node_fingerprint
from penstock.intervals.planned_commits import IntervalPlan
from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.preview import node_actions
from penstock.preview.code_changes import BuiltCode
from penstock.preview.content import Action, Code, Estimate, StaleInterval
from penstock.preview.history import estimate
from penstock.preview.selection import downstream
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord
from tests.unit.adapter.manifests import INTERVAL, manifest_node

TABLE, VIEW = SimpleNamespace(is_view=False, is_table=True), SimpleNamespace(is_view=True, is_table=False)
MONTHS = [date(2024, month, 1) for month in (1, 2, 3)]


@pytest.mark.parametrize(
    ("config", "existing", "code", "action"),
    [
        ({"materialized": "table"}, TABLE, Code.UNCHANGED, Action.REBUILD),
        ({"materialized": "table"}, None, Code.NEW, Action.CREATE),
        ({"materialized": "view"}, VIEW, Code.UNCHANGED, Action.NOTHING),
        ({"materialized": "view"}, VIEW, Code.CHANGED, Action.REPLACE_VIEW),
        ({"materialized": "view"}, VIEW, Code.UNKNOWN, Action.REPLACE_VIEW),
        ({"materialized": "view"}, TABLE, Code.UNCHANGED, Action.REPLACE_VIEW),
        ({"materialized": "incremental"}, TABLE, Code.CHANGED, Action.ADD_ROWS),
        ({"materialized": "incremental"}, VIEW, Code.CHANGED, Action.REBUILD),
        ({"materialized": "incremental", "full_refresh": True}, TABLE, Code.UNCHANGED, Action.REBUILD),
        ({"materialized": "incremental"}, None, Code.NEW, Action.CREATE),
        ({"materialized": "special"}, TABLE, Code.UNCHANGED, Action.RUN),
    ],
)
def test_the_action_of_a_model(config: dict[str, Any], existing: Any, code: Code, action: Action) -> None:
    node = manifest_node("a", **{"full_refresh": None, "incremental_strategy": None, **config})
    assert node_actions.other_action(node, existing, code)[0] is action


@pytest.mark.parametrize(
    ("kind", "existing", "action"), [("seed", None, Action.LOAD), ("snapshot", TABLE, Action.SNAPSHOT)]
)
def test_the_action_of_another_node(kind: str, existing: Any, action: Action) -> None:
    assert node_actions.other_action(manifest_node("a", kind=kind), existing, Code.UNCHANGED)[0] is action


def plan(stale: list[date], built: list[date], full_refresh: bool = False) -> IntervalPlan:
    commit: Any = SimpleNamespace(full_refresh=full_refresh, reasons=dict.fromkeys(stale, "new"))
    commits = (commit,) if stale or full_refresh else ()
    return IntervalPlan(commits, "", "", str, frozenset(built))


@pytest.mark.parametrize(
    ("exists", "stale", "built", "full_refresh", "action"),
    [
        (False, MONTHS, [], False, Action.CREATE),
        (True, [], MONTHS, False, Action.NOTHING),
        (True, MONTHS[2:], MONTHS, False, Action.INTERVALS),
        (True, MONTHS[2:], MONTHS[:2], False, Action.INTERVALS),
        (True, MONTHS, MONTHS[:2], False, Action.REBUILD),
        (True, MONTHS, MONTHS, True, Action.REBUILD),
    ],
)
def test_the_action_of_an_interval_model(
    exists: bool, stale: list[date], built: list[date], full_refresh: bool, action: Action
) -> None:
    node = manifest_node("a", **INTERVAL, event_time="month", full_refresh=None)
    planned = plan(stale, built, full_refresh)
    assert node_actions.interval_action(node, exists, planned)[0] is action
    assert node_actions.intervals(node, planned) == tuple(StaleInterval(f"{day:%Y-%m}", "new") for day in stale)


def test_the_code_of_the_last_successful_run_counts(tmp_path: Path) -> None:
    """A captured plan counts only without a record, and a record of another target or of a failed run doesn't."""
    manifest: Any = SimpleNamespace(nodes={"a": manifest_node("a")}, sources={}, macros={})
    current = node_fingerprint.fingerprint(manifest, "a")

    def record(run: str, started: str, code: str, status: str = "success", target: str = "dev") -> None:
        node = NodeRun("a", "a", "model", status, relation="w.a", code=code)
        run_store.write(tmp_path, RunRecord(run, "run", "", "p", target, started, nodes={"a": node}))

    def compare(exists: bool = True) -> Code:
        return BuiltCode(manifest, tmp_path, "dev").compare("a", exists)

    assert compare() is Code.UNKNOWN and compare(exists=False) is Code.NEW
    plan_store.write(tmp_path, CapturedPlan("a", "other.a", current))
    assert compare() is Code.UNKNOWN, "a plan of another target's table"
    plan_store.write(tmp_path, CapturedPlan("a", "w.a", current))
    assert compare() is Code.UNCHANGED
    record("1", "2024-01-01", "older")
    assert compare() is Code.CHANGED
    record("2", "2024-01-02", current, status="error")
    record("3", "2024-01-03", current, target="prod")
    assert compare() is Code.CHANGED
    record("4", "2024-01-04", current)
    assert compare() is Code.UNCHANGED


def test_downstream_nodes_name_the_changed_models() -> None:
    nodes = [
        *(manifest_node("a"), manifest_node("b", "a"), manifest_node("c", "b", "d"), manifest_node("d")),
        *(manifest_node("s", "c", kind="snapshot"), manifest_node("test", "a", kind="test")),
    ]
    manifest = SimpleNamespace(nodes={node.unique_id: node for node in nodes})
    assert downstream(manifest, ["a", "d"]) == {"b": ["a"], "c": ["a", "d"], "s": ["a", "d"]}
    assert downstream(manifest, []) == {}


def test_an_estimate_is_the_median_with_its_spread() -> None:
    assert estimate([1, None, 5, 3]) == Estimate(3, 1, 5, 3)
    assert estimate([1.0, 2.0], times=4) == Estimate(6, 4, 8, 2)
    assert estimate([None]) is None
