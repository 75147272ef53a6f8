"""What a run does with a node: create, rebuild or extend its table, or nothing."""

from __future__ import annotations

from typing import Any

from dbt.adapters.penstock import table_writes
from penstock.intervals.model_config import IntervalConfig
from penstock.intervals.planned_commits import IntervalPlan
from penstock.preview.content import Action, Code, StaleInterval

WRITTEN_WHOLE = "a table model is written whole in each run"


def interval_action(node: Any, exists: bool, plan: IntervalPlan) -> tuple[Action, str]:
    """Return what a run does with an interval model, and why.

    Args:
        node: dbt's node.
        exists: whether the model's table exists.
        plan: the plan of its intervals.
    """
    if not exists:
        return Action.CREATE, ""
    if plan.commits and plan.commits[0].full_refresh:
        if node.config.full_refresh:
            return Action.REBUILD, "full_refresh is set in its configuration"
        return Action.REBUILD, f"its table does not have intervals of a {_grain(node)}"
    if not plan.reasons:
        return Action.NOTHING, ""
    if plan.built and plan.built <= set(plan.reasons):
        return Action.REBUILD, f"all {len(plan.built)} intervals of its table are stale"
    return Action.INTERVALS, ""


def intervals(node: Any, plan: IntervalPlan) -> tuple[StaleInterval, ...]:
    """Return the intervals that a plan builds, with their reasons."""
    grain = IntervalConfig.parse(node.config.to_dict(omit_none=True), node.name).grain
    return tuple(StaleInterval(grain.show(day), reason) for day, reason in plan.reasons.items())


def _grain(node: Any) -> str:
    return IntervalConfig.parse(node.config.to_dict(omit_none=True), node.name).grain.name


def other_action(node: Any, existing: Any, code: Code) -> tuple[Action, str]:
    """Return the action of a run on a node other than an interval model, and the reason.

    Args:
        node: dbt's node.
        existing: the node's relation; None if it does not exist.
        code: whether the node's code has changed.
    """
    if node.resource_type == "seed":
        return _seed_action(node, existing)
    if node.resource_type == "snapshot":
        return Action.SNAPSHOT, ""
    kind = node.config.materialized
    if kind == "view":
        return _view_action(existing, code)
    if existing is None:
        return Action.CREATE, ""
    if kind == "table":
        return Action.REBUILD, WRITTEN_WHOLE
    if kind != "incremental":
        return Action.RUN, f"materialized as {kind}"
    if existing.is_view:
        return Action.REBUILD, "a table replaces its view"
    if node.config.full_refresh:
        return Action.REBUILD, "full_refresh is set in its configuration"
    return Action.ADD_ROWS, f"incremental_strategy {strategy(node)}"


def _seed_action(node: Any, existing: Any) -> tuple[Action, str]:
    if existing is None or node.config.full_refresh:
        return Action.LOAD, ""
    unchanged = table_writes.seed_is_unchanged(existing, node.to_dict(omit_none=True), empty=False)
    return (Action.NOTHING if unchanged else Action.LOAD), ""


def strategy(node: Any) -> str:
    """Return the incremental strategy of a node."""
    return str(node.config.incremental_strategy or "append")


def _view_action(existing: Any, code: Code) -> tuple[Action, str]:
    if existing is None:
        return Action.CREATE, ""
    if not existing.is_view:
        return Action.REPLACE_VIEW, "a view replaces its table"
    if code is Code.UNCHANGED:
        return Action.NOTHING, ""
    return Action.REPLACE_VIEW, "" if code is Code.CHANGED else "if its definition differs"


def writes_in_order(node: Any, exists: bool) -> bool:
    """Return whether the main statement's query has the distribution and order of the model's layout."""
    return not (exists and node.config.materialized == "incremental" and strategy(node) == "merge")


def is_microbatch(node: Any) -> bool:
    """Return whether dbt itself chooses the batches of a model while it runs."""
    return node.config.materialized == "incremental" and strategy(node) == "microbatch"
