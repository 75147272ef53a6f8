"""Explain the exchanges of a plan, and summarize its aggregates, sorts and windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from penstock.explain.explanation import ExchangeFact
from penstock.explain.keys import TRUNCATED, readable_keys
from penstock.explain.metrics import Metrics, byte_metric, count_metric
from penstock.plans import queries
from penstock.plans.operators import Operator, Plan

# Operators that may be between an exchange and the operator that requires the exchange.
SKIPPED = ("Project", "Filter", "ColumnarToRow", "Sort", "AQEShuffleRead", "ShuffleQueryStage", "ResultQueryStage")
PARTITIONINGS = {"RoundRobinPartitioning": "round robin", "SinglePartition": "single partition"}
OPERATOR_LABELS = {
    "HashAggregate": "aggregate",
    "ObjectHashAggregate": "aggregate",
    "SortAggregate": "aggregate",
    "Window": "window",
    "WindowGroupLimit": "window",
    "WindowInPandas": "window",
    "TakeOrderedAndProject": "limit",
    "CollectLimit": "limit",
    "GlobalLimit": "limit",
    "AQEShuffleRead": "result",
}


def _label(item: Operator) -> str:
    return "join" if item.name in queries.JOINS else OPERATOR_LABELS.get(item.name, item.name)


def _child_parent_pairs(item: Operator) -> Iterator[tuple[int, Operator]]:
    for child in item.children:
        yield child.number, item
        yield from _child_parent_pairs(child)


def _parents(plan: Plan) -> dict[int, Operator]:
    """Return the parent of each operator, by the operator's number."""
    trees = (plan.root, *plan.subqueries)
    return {number: parent for tree in trees for number, parent in _child_parent_pairs(tree)}


def explain_exchanges(plan: Plan, metrics: Mapping[int, Metrics]) -> list[ExchangeFact]:
    """Return the facts of every exchange, the outermost first."""
    parents, numbers = _parents(plan), plan.by_number()
    return [_exchange(exchange, parents, numbers, metrics) for exchange in queries.exchanges(plan)]


def _exchange(
    exchange: queries.Exchange,
    parents: Mapping[int, Operator],
    numbers: dict[int, Operator],
    metrics: Mapping[int, Metrics],
) -> ExchangeFact:
    item = exchange.operator
    own = metrics.get(item.number, {})
    keys = list(exchange.keys)
    if truncated := TRUNCATED.search(item.detail("Arguments")):
        keys = [key for key in keys if not key.startswith("...")] + [f"{truncated[1]} more"]
    return ExchangeFact(
        number=item.number,
        partitioning=PARTITIONINGS.get(exchange.partitioning, exchange.partitioning),
        keys=tuple(readable_keys(keys)),
        partitions=count_metric(own, "number of partitions") or exchange.partitions,
        read_as=_partitions_read(item, parents, metrics),
        rows=count_metric(own, "shuffle records written"),
        bytes=byte_metric(own, "shuffle bytes written"),
        asked_by=_required_by(item, exchange.origin, parents),
        tables=tuple(sorted(queries.tables(item, numbers))),
    )


def _partitions_read(item: Operator, parents: Mapping[int, Operator], metrics: Mapping[int, Metrics]) -> int | None:
    reader = parents.get(item.number)
    while reader is not None and reader.name.endswith("QueryStage"):
        reader = parents.get(reader.number)
    if reader is None or reader.name != "AQEShuffleRead":
        return None
    return count_metric(metrics.get(reader.number, {}), "number of partitions")


def _required_by(item: Operator, origin: str, parents: Mapping[int, Operator]) -> str:
    """Return the operator or hint that requires an exchange."""
    if origin.startswith("REBALANCE"):
        return "rebalance"
    if origin.startswith("REPARTITION"):
        return f"repartition{'_by_range' if 'range' in item.detail('Arguments')[:9] else ''}"
    parent = parents.get(item.number)
    while parent is not None and (parent.name in SKIPPED or parent.name == "AdaptiveSparkPlan"):
        if parent.name == "Sort" and "true, 0" in parent.detail("Arguments")[-9:]:
            return "order by"
        parent = parents.get(parent.number)
    return f"{_label(parent)} {parent.number}" if parent else "result"


def summarize_steps(plan: Plan) -> list[str]:
    """Return the numbers of aggregates, sorts, windows and reused exchanges, one line per kind."""
    operators = list(plan.walk())
    phases = Counter(_aggregate_phase(item, plan) for item in operators if item.name.endswith("Aggregate"))
    lines = []
    if phases:
        lines.append(f"aggregates: {', '.join(f'{number} {phase}' for phase, number in phases.items())}")
    if sorts := [item for item in operators if item.name == "Sort"]:
        lines.append(f"sorts: {len(sorts)}")
    if windows := [item for item in operators if item.name.startswith("Window")]:
        lines.append(f"windows: {len(windows)}")
    if reused := [item for item in operators if item.name == "ReusedExchange"]:
        lines.append(f"reused exchanges: {len(reused)}")
    return lines


def _aggregate_phase(item: Operator, plan: Plan) -> str:
    functions = item.detail("Functions")
    if "partial_" in functions or (not functions.strip("[] ") and _feeds_exchange(item, plan)):
        return "partial"
    return "merging" if "merge_" in functions else "final"


def _feeds_exchange(item: Operator, plan: Plan) -> bool:
    """Return whether an exchange reads an operator's rows. An aggregate without functions is then a partial one."""
    parent = _parents(plan).get(item.number)
    return parent is not None and parent.name == "Exchange"
