"""Compare the joins of the plans that were captured when two targets built a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from penstock.diff.dbt_tables import DbtTable
from penstock.diff.results import TableDiff
from penstock.plans import queries
from penstock.plans.plan_parser import NotAPlan
from penstock.plans.plan_store import CapturedPlan
from penstock.runs import run_store


def add_plan_changes(
    folder: Path, tables: Sequence[DbtTable], results: Sequence[TableDiff], targets: tuple[str, str]
) -> list[TableDiff]:
    """Return the results with the changes of the models' plans, if recorded runs have captured plans of both targets.

    Args:
        folder: dbt's target folder.
        tables: the compared models.
        results: the result of each model.
        targets: the targets before and after the change.
    """
    before, after = (_newest_plans(folder, target) for target in targets)
    changed = []
    for table, result in zip(tables, results, strict=True):
        pair = before.get(table.unique_id), after.get(table.unique_id)
        changes = plan_changes(pair[0], pair[1]) if pair[0] and pair[1] else ()
        changed.append(replace(result, plan_changes=tuple(changes)))
    return changed


def _newest_plans(folder: Path, target: str) -> Mapping[str, CapturedPlan]:
    """Return the newest captured plan of each node, from the recorded runs of a target."""
    found: dict[str, CapturedPlan] = {}
    for record in run_store.records(folder):
        if record.target == target:
            for name in record.nodes:
                if name not in found and (captured := run_store.plan(folder, record.run_id, name)):
                    found[name] = captured
    return found


def plan_changes(before: CapturedPlan, after: CapturedPlan) -> list[str]:
    """Return the joins that differ between two plans, one sentence for each pair of joined tables."""
    try:
        old, new = (_strategies(plan) for plan in _comparable(before, after))
    except NotAPlan:
        return []
    return [
        f"join of {tables}: {_listed(old.get(tables))} → {_listed(new.get(tables))}"
        for tables in sorted({*old, *new})
        if old.get(tables) != new.get(tables)
    ]


def _comparable(before: CapturedPlan, after: CapturedPlan) -> tuple[CapturedPlan, CapturedPlan]:
    """Return both plans as they ran, or both as EXPLAIN showed them if one of them has no plan that ran.

    Spark may change joins while a query runs, so a plan that ran can't be compared with an output of EXPLAIN.
    """
    if before.executed and after.executed:
        return before, after
    return before.with_executed(None), after.with_executed(None)


def _strategies(captured: CapturedPlan) -> dict[str, Counter[str]]:
    """Return how often a plan uses each join strategy, by the joined tables.

    The names of tables have no schemas, because the schemas differ between targets. The order of the two sides doesn't
    matter, because Spark may swap the sides.
    """
    plan = captured.plan
    found: dict[str, Counter[str]] = {}
    for join in queries.joins(plan) if plan else ():
        sides = (", ".join(sorted(name.rsplit(".", 1)[-1] for name in side)) for side in (join.left, join.right))
        tables = " and ".join(sorted(side or "rows of the query" for side in sides))
        found.setdefault(tables, Counter())[join.kind] += 1
    return found


def _listed(strategies: Counter[str] | None) -> str:
    if not strategies:
        return "no join"
    return ", ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in sorted(strategies.items()))
