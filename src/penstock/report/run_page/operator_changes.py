"""Describe how a node's physical plan differs from the plan of an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from penstock.plans import queries
from penstock.plans.operators import Plan

# Operators that the other lines describe, or that only say how Spark generates code.
IGNORED = {"AdaptiveSparkPlan", "ColumnarToRow", "InputAdapter", "ReusedExchange", "Scan", "BatchScan", "Exchange"}


def describe(before: Plan, after: Plan) -> list[str]:
    """Return one line for each difference between two plans; an empty list if they have the same operators.

    Args:
        before: the plan of the earlier run.
        after: the plan of the later run.
    """
    joins = _join_changes(before, after)
    exchanges = _changes("exchange", map(str, queries.exchanges(before)), map(str, queries.exchanges(after)))
    filters = _changes("partition filter", _partition_filters(before), _partition_filters(after))
    pushed = _changes("pushed filter", _pushed_filters(before), _pushed_filters(after))
    return [*joins, *exchanges, *filters, *pushed, *_operator_changes(before, after)]


def _join_changes(before: Plan, after: Plan) -> list[str]:
    """Return the joins that changed their strategy, by their keys, and those that are new or gone."""
    old, new = Counter(map(str, queries.joins(before))), Counter(map(str, queries.joins(after)))
    gone, added = list((old - new).elements()), list((new - old).elements())
    lines = []
    for join in list(gone):
        same_keys = next((item for item in added if _keys(item) == _keys(join)), None)
        if same_keys is not None:
            lines.append(f"join changed: {_strategy(join)} → {_strategy(same_keys)}{_keys(join)}")
            gone.remove(join)
            added.remove(same_keys)
    return [*lines, *(f"join gone: {item}" for item in gone), *(f"join added: {item}" for item in added)]


def _keys(join: str) -> str:
    _, on, keys = join.partition(" on ")
    return on + keys


def _strategy(join: str) -> str:
    return join.partition(" on ")[0]


def _partition_filters(plan: Plan) -> list[str]:
    return [f"{item} on {scan.table}" for scan in queries.scans(plan) for item in scan.partition_filters]


def _pushed_filters(plan: Plan) -> list[str]:
    return [f"{item} on {scan.table}" for scan in queries.scans(plan) for item in scan.pushed_filters]


def _changes(kind: str, before: Iterable[str], after: Iterable[str]) -> list[str]:
    old, new = Counter(before), Counter(after)
    gone = [f"{kind} gone: {item}" for item in (old - new).elements()]
    return [*gone, *(f"{kind} added: {item}" for item in (new - old).elements())]


def _operator_changes(before: Plan, after: Plan) -> list[str]:
    old, new = (Counter(_operators(plan)) for plan in (before, after))
    return [f"{name}: {old[name]} → {new[name]}" for name in sorted({*old, *new}) if old[name] != new[name]]


def _operators(plan: Plan) -> Iterable[str]:
    hidden = IGNORED | set(queries.JOINS)
    return (item.name for item in plan.walk() if item.name not in hidden and not item.name.endswith("QueryStage"))
