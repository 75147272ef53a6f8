"""A preview of four nodes for tests."""

from __future__ import annotations

from typing import Any

from penstock.explain.plan_changes import PlanChange
from penstock.preview.content import Action, Code, Estimate, Expected, NodePreview, Preview, StaleInterval


def node(name: str, **values: Any) -> NodePreview:
    """Return a table model that a run would do nothing with, with other values as given."""
    defaults = {
        "unique_id": f"model.shop.{name}",
        "resource_type": "model",
        "materialized": "table",
        "language": "sql",
        "relation": f"w.{name}",
        "code": Code.UNCHANGED,
        "action": Action.NOTHING,
    }
    return NodePreview(name=name, **{**defaults, **values})


def preview() -> Preview:
    """Return a preview with every part of the content."""
    months = ("2023-11", "2023-12", "2024-01", "2024-03")
    facts = node(
        "facts",
        materialized="incremental",
        code=Code.CHANGED,
        action=Action.INTERVALS,
        intervals=tuple(StaleInterval(month, "lake.green changed") for month in months),
        expected=Expected(Estimate(1234, 1000, 2000, 5), Estimate(4096, 4096, 4096, 1), Estimate(3.25, 2, 5, 5)),
        plan="changed",
        plan_changes=(
            PlanChange("join", "join of `t` (w.t) and `z` (w.z)", "sort-merge join", "broadcast hash join"),
            PlanChange("pruning", "partitions of w.t", "pruned by (m = 1)", "reads all partitions"),
        ),
    )
    forecast = node(
        "forecast",
        language="python",
        action=Action.REBUILD,
        reason="a table model is written whole in each run",
        inputs=("w.facts",),
        downstream_of=("facts",),
        notes=("plan unknown until it runs",),
        expected=Expected(seconds=Estimate(1, 1, 1, 2)),
    )
    fresh = node("fresh <script>", code=Code.NEW, action=Action.CREATE)
    return Preview("shop", "dev", "the last run", (facts, forecast, fresh, node("quiet")), ("later",))
