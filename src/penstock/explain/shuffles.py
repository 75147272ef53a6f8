"""Exchanges of a plan: what asked for each, and what it moved; and the steps between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from penstock.explain.explanation import ExchangeFact
from penstock.explain.keys import CUT, simple
from penstock.explain.metrics import Counted, amount, count
from penstock.plans import queries
from penstock.plans.operators import Operator, Plan

PASSED = ("Project", "Filter", "ColumnarToRow", "Sort", "AQEShuffleRead", "ShuffleQueryStage", "ResultQueryStage")
PARTITIONINGS = {"RoundRobinPartitioning": "round robin", "SinglePartition": "single partition"}
WORDS = {
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


def word(item: Operator) -> str:
    """An operator in the field's words."""
    if item.name in queries.JOINS:
        return "join"
    return WORDS.get(item.name, item.name)


def _parents(item: Operator) -> Iterator[tuple[int, Operator]]:
    for child in item.children:
        yield child.number, item
        yield from _parents(child)


def parents(plan: Plan) -> dict[int, Operator]:
    """Each operator's one above, by number."""
    trees = (plan.root, *plan.subqueries)
    return {number: item for tree in trees for number, item in _parents(tree)}


def facts(plan: Plan, counted: Mapping[int, Counted]) -> list[ExchangeFact]:
    """Every exchange, the outermost first."""
    above, numbers = parents(plan), plan.by_number()
    found = []
    for exchange in queries.exchanges(plan):
        item = exchange.operator
        mine = counted.get(item.number, {})
        keys, partitions = list(exchange.keys), exchange.partitions
        if cut := CUT.search(item.detail("Arguments")):
            keys = [key for key in keys if not key.startswith("...")] + [f"{cut[1]} more"]
        found.append(
            ExchangeFact(
                item.number,
                PARTITIONINGS.get(exchange.partitioning, exchange.partitioning),
                tuple(simple(keys)),
                count(mine, "number of partitions") or partitions,
                _read_as(item, above, counted),
                count(mine, "shuffle records written"),
                amount(mine, "shuffle bytes written"),
                _asked(item, exchange.origin, above),
                tuple(sorted(queries.tables(item, numbers))),
            )
        )
    return found


def _read_as(item: Operator, above: Mapping[int, Operator], counted: Mapping[int, Counted]) -> int | None:
    reader = above.get(item.number)
    while reader is not None and reader.name.endswith("QueryStage"):
        reader = above.get(reader.number)
    if reader is None or reader.name != "AQEShuffleRead":
        return None
    return count(counted.get(reader.number, {}), "number of partitions")


def _asked(item: Operator, reason: str, above: Mapping[int, Operator]) -> str:
    if reason.startswith("REBALANCE"):
        return "rebalance"
    if reason.startswith("REPARTITION"):
        return f"repartition{'_by_range' if 'range' in item.detail('Arguments')[:9] else ''}"
    needs = above.get(item.number)
    while needs is not None and (needs.name in PASSED or needs.name == "AdaptiveSparkPlan"):
        if needs.name == "Sort" and "true, 0" in needs.detail("Arguments")[-9:]:
            return "order by"
        needs = above.get(needs.number)
    return f"{word(needs)} {needs.number}" if needs else "result"


def steps(plan: Plan) -> list[str]:
    """Aggregates, sorts and windows, one line a kind."""
    every = list(plan.walk())
    halves: Counter[str] = Counter()
    for item in every:
        if item.name.endswith("Aggregate"):
            functions = item.detail("Functions")
            partial = "partial_" in functions or (not functions.strip("[] ") and _is_below_exchange(item, plan))
            merging = "merge_" in functions
            halves["partial" if partial else "merging" if merging else "final"] += 1
    found = []
    if halves:
        parts = ", ".join(f"{number} {half}" for half, number in halves.items())
        found.append(f"aggregates: {parts}")
    if sorts := [item for item in every if item.name == "Sort"]:
        found.append(f"sorts: {len(sorts)}")
    if windows := [item for item in every if item.name.startswith("Window")]:
        found.append(f"windows: {len(windows)}")
    if reused := [item for item in every if item.name == "ReusedExchange"]:
        found.append(f"exchanges used once more: {len(reused)}")
    return found


def _is_below_exchange(item: Operator, plan: Plan) -> bool:
    """An aggregate without functions (a distinct) is the partial one when an exchange takes its rows."""
    parent = parents(plan).get(item.number)
    return parent is not None and parent.name == "Exchange"
