"""What Spark did for one node: its seconds, rows, bytes and tasks, from the captured plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from penstock.explain.metrics import Metrics, count_metric, metrics_by_operator
from penstock.plans import queries
from penstock.plans.operators import Operator
from penstock.plans.plan_parser import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan
from penstock.runs.run_record import NodeRun

ROWS = "number of output rows"
# The clocks of dbt and Spark may differ by this much, and dbt's times have no time for the statement before.
TOLERANCE = timedelta(seconds=2)


@dataclass(frozen=True)
class NodeMetrics:
    """What Spark did for a node. None means unknown.

    Attributes:
        spark_seconds: duration of the node's main statement in Spark.
        rows_in: rows that the scans of the plan returned.
        rows_out: rows of the plan's result.
        read, written, shuffled, spilled: bytes.
        skew: the longest task divided by the median task, in the stage where this is largest by seconds lost.
        longest_task: seconds of the longest task in that stage.
        tasks: number of tasks.
    """

    spark_seconds: float | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    read: int | None = None
    written: int | None = None
    shuffled: int | None = None
    spilled: int | None = None
    skew: float | None = None
    longest_task: float | None = None
    tasks: int | None = None


def belongs_to(node: NodeRun, executed: ExecutedPlan) -> bool:
    """Return whether a plan ran while a node ran. A node that had nothing to do keeps the plan of an earlier run."""
    if not executed.started or node.started is None:
        return True
    started = datetime.strptime(executed.started.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z")
    ended = node.ended or started
    return node.started - TOLERANCE <= started <= ended + TOLERANCE


def measure(node: NodeRun, captured: CapturedPlan | None) -> NodeMetrics:
    """Return what Spark did for a node; unknown values if its plan was not captured or is of an earlier run."""
    executed = captured.executed if captured else None
    if executed is None or not belongs_to(node, executed):
        return NodeMetrics()
    rows_in, rows_out = _rows(executed)
    stages = executed.stages
    if not stages:
        return NodeMetrics(executed.seconds, rows_in, rows_out)
    uneven = max(stages, key=lambda stage: stage.task_longest - stage.task_median)
    return NodeMetrics(
        executed.seconds,
        rows_in,
        rows_out,
        read=sum(stage.read for stage in stages),
        written=sum(stage.written for stage in stages),
        shuffled=sum(stage.shuffle_written for stage in stages),
        spilled=sum(stage.spilled for stage in stages),
        skew=uneven.skew,
        longest_task=uneven.task_longest,
        tasks=sum(stage.tasks for stage in stages),
    )


def _rows(executed: ExecutedPlan) -> tuple[int | None, int | None]:
    try:
        plan = parse(executed.plan)
    except NotAPlan:
        return None, None
    metrics = metrics_by_operator(plan, executed.metrics)
    scanned = [count_metric(metrics.get(scan.operator.number, {}), ROWS) for scan in queries.scans(plan)]
    known = [rows for rows in scanned if rows is not None]
    return sum(known) if known else None, _result_rows(plan.root, metrics)


def _result_rows(root: Operator, metrics: Mapping[int, Metrics]) -> int | None:
    """Return the rows of the highest operator that counts them, as long as no operator between changes their number."""
    item = root
    while True:
        rows = count_metric(metrics.get(item.number, {}), ROWS)
        if rows is not None or len(item.children) != 1:
            return rows
        item = item.children[0]
