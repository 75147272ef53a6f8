"""Warn about expensive parts of a plan: spills, skew, cartesian products, windows in one task, repeated shuffles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.explain.explanation import ExchangeFact
from penstock.explain.server_facts import format_bytes
from penstock.plans import queries
from penstock.plans.operators import Operator, Plan
from penstock.plans.rest_api import Stage

# A stage is uneven if its longest task takes more than UNEVEN_RATIO times as long as its median task. A warning is
# useful only if the longest task also takes at least LONG_TASK_SECONDS.
UNEVEN_RATIO = 3.0
LONG_TASK_SECONDS = 5.0


def warnings(plan: Plan, exchanges: Sequence[ExchangeFact], stages: Sequence[Stage]) -> list[str]:
    """Return every warning about a plan and its stages."""
    return [*_operator_warnings(plan), *_repeated_shuffles(plan, exchanges), *_stage_warnings(stages)]


def _operator_warnings(plan: Plan) -> Iterator[str]:
    for join in queries.cartesian_joins(plan):
        yield f"join {join.operator.number} has no condition: every row is paired with every row ({join.kind})"
    for join in queries.joins(plan):
        if not join.left_keys and join.condition:
            yield f"join {join.operator.number} compares every row with every row: no equal columns ({join.kind})"
    for window in queries.single_partition_windows(plan):
        yield f"window {window.number} brings all rows into one task: give it a `partition by`"


def _repeated_shuffles(plan: Plan, exchanges: Sequence[ExchangeFact]) -> Iterator[str]:
    """Yield a warning for each pair of shuffles that have the same keys, and the same rows or the same tables."""
    below = {item.number: {inner.number for inner in item.walk()} for item in plan.walk() if item.name == "Exchange"}
    join_pairs = {frozenset(pair) for pair in _join_exchanges(plan)}
    for position, first in enumerate(exchanges):
        for second in exchanges[position + 1 :]:
            if not first.keys or set(first.keys) != set(second.keys):
                continue
            pair, keys = f"exchanges {second.number} and {first.number}", ", ".join(first.keys)
            if second.number in below.get(first.number, ()):
                yield f"{pair} shuffle the same rows twice by the same keys, {keys}"
            elif first.tables == second.tables and frozenset((first.number, second.number)) not in join_pairs:
                yield f"{pair} both shuffle rows of {', '.join(first.tables)} by {keys}"


def _join_exchanges(plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield the two exchanges directly below each join. Both have the keys that the join requires."""
    for join in queries.joins(plan):
        exchanges = [item for item in map(_nearest_exchange, join.operator.children) if item]
        if len(exchanges) == 2:
            yield exchanges[0].number, exchanges[1].number


def _nearest_exchange(item: Operator) -> Operator | None:
    while item.name != "Exchange":
        if len(item.children) != 1:
            return None
        item = item.children[0]
    return item


def _stage_warnings(stages: Sequence[Stage]) -> Iterator[str]:
    for stage in stages:
        if stage.spilled:
            yield (
                f"stage {stage.number} wrote {format_bytes(stage.spilled)} to disk because its rows didn't fit in "
                "memory: more shuffle partitions, or more memory"
            )
        if stage.skew > UNEVEN_RATIO and stage.task_longest >= LONG_TASK_SECONDS:
            yield (
                f"stage {stage.number} is uneven: its longest task took {stage.task_longest:.1f} s, "
                f"the median task {stage.task_median:.1f} s ({stage.skew:.0f} times)"
            )
