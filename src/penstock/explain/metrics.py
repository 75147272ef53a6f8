"""Assign the metrics of the Spark UI to the operators of an executed plan.

The UI numbers its nodes from the root of the plan down, left before right, and the REST API lists them
from the last number to the first. The reversed list therefore has the order of the plan, except for nodes
that only the UI or only the plan has: code generation, query stages, reused exchanges. In the UI, the nodes
of a subquery follow a node named `Subquery` below the operator that uses the subquery. EXPLAIN FORMATTED
prints a subquery as a separate tree.
Source: org.apache.spark.sql.execution.ui.SparkPlanGraph and SqlResource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from penstock.explain.server_facts import parse_bytes
from penstock.plans.operators import Operator, Plan

Metrics = Mapping[str, str]
Node = tuple[str, Metrics]
ONLY_IN_UI = ("WholeStageCodegen", "AdaptiveSparkPlan", "InputAdapter")
VALUE = re.compile(r"^-?[\d,.]+(?: [A-Za-z]+)?")


def _common_name(title: str) -> str:
    """Return the name of an operator that is the same in the UI and in EXPLAIN. A scan's name includes its table."""
    return title if title.startswith(("Scan ", "BatchScan ")) else title.split(" ")[0]


def metrics_by_operator(plan: Plan, ui_nodes: Sequence[tuple[str, Metrics]]) -> dict[int, Metrics]:
    """Return the metrics of each operator, by its number.

    Args:
        plan: an executed plan.
        ui_nodes: title and metrics of each node in the UI, as `ExecutedPlan.metrics` has them.
    """
    nodes = [
        (_common_name(title), metrics) for title, metrics in reversed(ui_nodes) if not title.startswith(ONLY_IN_UI)
    ]
    assigned: dict[int, Metrics] = {}
    _take_subqueries([_shown_in_ui(tree) for tree in plan.subqueries], nodes, assigned)
    _align(_shown_in_ui(plan.root), nodes, assigned)
    return assigned


def _shown_in_ui(tree: Operator) -> list[Operator]:
    return [
        item
        for item in tree.walk()
        if not item.name.endswith("QueryStage") and item.name not in ("AdaptiveSparkPlan", "ReusedExchange")
    ]


def _take_subqueries(trees: list[list[Operator]], nodes: list[Node], assigned: dict[int, Metrics]) -> None:
    """Assign the nodes of subqueries to their operators, and remove these nodes.

    Begin with the last subquery, because it may be nested in an earlier one.
    """
    for position in range(len(nodes) - 1, -1, -1):
        if not nodes[position][0].startswith("Subquery"):
            continue
        for items in trees:
            start = position if items and items[0].name == nodes[position][0] else position + 1
            end = start + len(items)
            if items and [_common_name(item.title) for item in items] == [name for name, _ in nodes[start:end]]:
                assigned |= {item.number: node[1] for item, node in zip(items, nodes[start:end], strict=True)}
                trees.remove(items)
                del nodes[position:end]
                break


def _align(items: list[Operator], nodes: list[Node], assigned: dict[int, Metrics]) -> None:
    """Pair operators with nodes of the same name and order. Skip operators and nodes without a partner."""
    names = [_common_name(item.title) for item in items]
    matcher = SequenceMatcher(None, names, [name for name, _ in nodes], autojunk=False)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            assigned.setdefault(items[block.a + step].number, nodes[block.b + step][1])


def total(text: str) -> str:
    """Return the total from a metric's text, for example `7.3 MiB`, or an empty text.

    Spark writes a heading on the first line, and then `7.3 MiB (3.6 MiB, …)`: the total, and some quantiles.
    """
    match = VALUE.match(text.rsplit("\n", 1)[-1])
    return match[0] if match else ""


def count_metric(metrics: Metrics, *names: str) -> int | None:
    """Return the number of rows, files or partitions in the first of the named metrics that exists."""
    text = _first(metrics, names).replace(",", "")
    return int(text) if text.isdigit() else None


def byte_metric(metrics: Metrics, *names: str) -> int | None:
    """Return the bytes in the first of the named metrics that exists."""
    text = _first(metrics, names)
    return parse_bytes(text) if text else None


def _first(metrics: Metrics, names: Iterable[str]) -> str:
    return next((text for name in names if (text := total(metrics.get(name, "")))), "")
