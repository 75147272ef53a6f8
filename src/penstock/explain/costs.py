"""What in a plan is likely to cost, in words: spills, skew, products, single tasks, shuffles done twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.explain.explanation import ExchangeFact
from penstock.explain.server_facts import size
from penstock.plans import queries
from penstock.plans.operators import Operator, Plan
from penstock.plans.rest_api import Stage

# The longest task by the median one, from which a stage is called uneven; and the seconds from
# which that matters to anyone.
UNEVEN = 3.0
LONG = 5.0


def warnings(plan: Plan, exchanges: Sequence[ExchangeFact], stages: Sequence[Stage]) -> list[str]:
    """Every warning on a plan and its stages."""
    return [*_of_operators(plan), *_again(plan, exchanges), *_of_stages(stages)]


def _of_operators(plan: Plan) -> Iterator[str]:
    for join in queries.cartesian_joins(plan):
        yield f"join {join.operator.number} has no condition: every row is paired with every row ({join.kind})"
    for join in queries.joins(plan):
        if not join.left_keys and join.condition:
            yield f"join {join.operator.number} compares every row with every row: no equal columns ({join.kind})"
    for window in queries.single_partition_windows(plan):
        yield f"window {window.number} brings all rows into one task: give it a `partition by`"


def _again(plan: Plan, exchanges: Sequence[ExchangeFact]) -> Iterator[str]:
    """Rows shuffled by the same keys twice, one after the other, or in two places from the same tables."""
    below = {item.number: {inner.number for inner in item.walk()} for item in plan.walk() if item.name == "Exchange"}
    partners = {frozenset(pair) for pair in _pairs(plan)}
    for place, one in enumerate(exchanges):
        for other in exchanges[place + 1 :]:
            if not one.keys or set(one.keys) != set(other.keys):
                continue
            keys = ", ".join(one.keys)
            if other.number in below.get(one.number, ()):
                yield f"exchanges {other.number} and {one.number} put the same rows twice by the same keys, {keys}"
            elif one.tables == other.tables and frozenset((one.number, other.number)) not in partners:
                tables = ", ".join(one.tables)
                yield f"exchanges {other.number} and {one.number} both shuffle rows of {tables} by {keys}"


def _pairs(plan: Plan) -> Iterator[tuple[int, int]]:
    """The two exchanges right below each join: they have to agree."""
    for join in queries.joins(plan):
        found = [item for item in (_exchange(child) for child in join.operator.children) if item]
        if len(found) == 2:
            yield found[0].number, found[1].number


def _exchange(item: Operator) -> Operator | None:
    while item.name != "Exchange":
        if len(item.children) != 1:
            return None
        item = item.children[0]
    return item


def _of_stages(stages: Sequence[Stage]) -> Iterator[str]:
    for stage in stages:
        if stage.spilled:
            yield (
                f"stage {stage.number} wrote {size(stage.spilled)} to disk because its rows didn't fit in memory: "
                "more shuffle partitions, or more memory"
            )
        if stage.skew > UNEVEN and stage.task_longest >= LONG:
            yield (
                f"stage {stage.number} is uneven: its longest task took {stage.task_longest:.1f} s, "
                f"the middle one {stage.task_median:.1f} s ({stage.skew:.0f} times)"
            )
