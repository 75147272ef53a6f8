"""What each operator of an executed plan counted, taken from what Spark's UI lists.

The REST status lists the UI's boxes from the last number to the first. The numbers follow the plan
from its root down, left before right, so both sequences run alike once what only one of them has is
left out: code generation, query stages, exchanges that are reused. A subquery's boxes follow one
named `Subquery` below the operator that uses it; its tree in EXPLAIN FORMATTED stands by itself.
Source: org.apache.spark.sql.execution.ui.SparkPlanGraph and SqlResource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from penstock.explain.server_facts import bytes_of
from penstock.plans.operators import Operator, Plan

Counted = Mapping[str, str]
Box = tuple[str, Counted]
ONLY_IN_UI = ("WholeStageCodegen", "AdaptiveSparkPlan", "InputAdapter")
VALUE = re.compile(r"^-?[\d,.]+(?: [A-Za-z]+)?")


def _word(title: str) -> str:
    """What both call an operator: its name, a scan with its table."""
    return title if title.startswith(("Scan ", "BatchScan ")) else title.split(" ")[0]


def measured(plan: Plan, metrics: Sequence[tuple[str, Counted]]) -> dict[int, Counted]:
    """What operators counted, by their number.

    Args:
        plan: an executed plan.
        metrics: name and counts of each box, as `ExecutedPlan.metrics` has them.
    """
    boxes = [(_word(name), counted) for name, counted in reversed(metrics) if not name.startswith(ONLY_IN_UI)]
    found: dict[int, Counted] = {}
    _take_subqueries([_shown(tree) for tree in plan.subqueries], boxes, found)
    _align(_shown(plan.root), boxes, found)
    return found


def _shown(tree: Operator) -> list[Operator]:
    return [
        item
        for item in tree.walk()
        if not item.name.endswith("QueryStage") and item.name not in ("AdaptiveSparkPlan", "ReusedExchange")
    ]


def _take_subqueries(trees: list[list[Operator]], boxes: list[Box], found: dict[int, Counted]) -> None:
    """Take the boxes of subqueries out, the last ones first: those may stand inside others."""
    for place in range(len(boxes) - 1, -1, -1):
        if not boxes[place][0].startswith("Subquery"):
            continue
        for items in trees:
            start = place if items and items[0].name == boxes[place][0] else place + 1
            end = start + len(items)
            if items and [_word(item.title) for item in items] == [name for name, _ in boxes[start:end]]:
                found |= {item.number: box[1] for item, box in zip(items, boxes[start:end], strict=True)}
                trees.remove(items)
                del boxes[place:end]
                break


def _align(items: list[Operator], boxes: list[Box], found: dict[int, Counted]) -> None:
    """Pair operators and boxes that run alike; what only one side has is passed over."""
    words = [_word(item.title) for item in items]
    matcher = SequenceMatcher(None, words, [name for name, _ in boxes], autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            found.setdefault(items[block.a + step].number, boxes[block.b + step][1])


def value(text: str) -> str:
    """The total of a metric: `7.3 MiB` of `total (min, med, max …)\\n7.3 MiB (3.6 MiB, …)`."""
    match = VALUE.match(text.rsplit("\n", 1)[-1])
    return match[0] if match else ""


def count(counted: Counted, *names: str) -> int | None:
    """A count of rows, files or partitions: the first of some metrics that is there."""
    text = _first(counted, names)
    return int(text.replace(",", "")) if text.replace(",", "").isdigit() else None


def amount(counted: Counted, *names: str) -> int | None:
    """Bytes: the first of some metrics that is there."""
    text = _first(counted, names)
    return bytes_of(text) if text else None


def _first(counted: Counted, names: Iterable[str]) -> str:
    return next((found for name in names if (found := value(counted.get(name, "")))), "")
