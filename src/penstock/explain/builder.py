"""Build an explanation from a plan, its metrics, and the server's facts about the plan's tables."""

from __future__ import annotations

from penstock.explain import costs, joins, shuffles
from penstock.explain.explanation import Explanation, ScanFact
from penstock.explain.keys import restore_query_names
from penstock.explain.metrics import Metrics, byte_metric, count_metric, metrics_by_operator
from penstock.explain.server_facts import ServerFacts
from penstock.plans import queries
from penstock.plans.plan_parser import parse
from penstock.plans.plan_store import CapturedPlan


def build_explanation(
    captured: CapturedPlan,
    kind: str,
    server: ServerFacts,
    heading: str,
    notes: tuple[str, ...] = (),
    is_stored: bool = True,
) -> Explanation:
    """Return the explanation of a plan.

    Args:
        captured: the captured plan. The plan that ran takes precedence over the output of EXPLAIN.
        kind: the model's materialization.
        server: facts that the plan does not have.
        heading: describes where the plan comes from, such as the last run.
        notes: notes for the reader of the plan.
        is_stored: whether the model has files.

    Raises:
        NotAPlan: the captured text is not a plan.
    """
    executed = captured.executed
    plan = parse(restore_query_names(executed.plan if executed else captured.explained))
    metrics = metrics_by_operator(plan, executed.metrics) if executed else {}
    exchanges = shuffles.explain_exchanges(plan, metrics)
    stages = executed.stages if executed else []
    return Explanation(
        model=captured.name,
        kind=kind,
        relation=captured.relation,
        heading=heading,
        notes=notes,
        has_run=executed is not None,
        plan=plan,
        metrics={number: dict(item) for number, item in metrics.items()},
        joins=tuple(joins.explain_joins(captured, plan, metrics, server)),
        exchanges=tuple(exchanges),
        scans=tuple(_scan(item, metrics.get(item.operator.number, {}), server) for item in queries.scans(plan)),
        steps=tuple(shuffles.summarize_steps(plan)),
        stages=tuple(stages),
        warnings=tuple(costs.warnings(plan, exchanges, stages)),
        files=server.table_files(captured.relation) if is_stored else None,
    )


def _scan(scan: queries.Scan, metrics: Metrics, server: ServerFacts) -> ScanFact:
    detail = server.table_detail(scan.table)
    return ScanFact(
        number=scan.operator.number,
        table=scan.table,
        columns=len(scan.columns),
        of_columns=detail.columns,
        files=count_metric(metrics, "number of files read"),
        of_files=detail.files,
        partitions=count_metric(metrics, "number of partitions read"),
        of_partitions=detail.partitions,
        bytes=byte_metric(metrics, "size of files read"),
        of_bytes=detail.bytes,
        rows=count_metric(metrics, "number of output rows"),
        partition_filters=scan.partition_filters,
        pushed_filters=scan.pushed_filters,
    )
