"""Puts an explanation together: the plan, what it counted, and what the server knows of its tables."""

from __future__ import annotations

from penstock.explain import costs, joins, shuffles
from penstock.explain.explanation import Facts, ScanFact
from penstock.explain.keys import named
from penstock.explain.metrics import Counted, amount, count, measured
from penstock.explain.server_facts import Server
from penstock.plans import queries
from penstock.plans.parse import parse
from penstock.plans.plan_store import CapturedPlan


def facts(
    kept: CapturedPlan, kind: str, server: Server, heading: str, notes: tuple[str, ...] = (), stored: bool = True
) -> Facts:
    """All that is said of a plan.

    Args:
        kept: the plan; the executed one goes before the explained one.
        kind: the model's materialization.
        server: answers what the plan doesn't.
        heading: which plan this is.
        notes: what else there is to know of it.
        stored: whether the model has files of its own.

    Raises:
        NotAPlan: the kept text is none.
    """
    executed = kept.executed
    plan = parse(named(executed.plan if executed else kept.explained))
    counted = measured(plan, executed.metrics) if executed else {}
    exchanges = shuffles.facts(plan, counted)
    stages = executed.stages if executed else []
    return Facts(
        kept.name,
        kind,
        kept.relation,
        heading,
        notes,
        executed is not None,
        plan,
        {number: dict(item) for number, item in counted.items()},
        tuple(joins.facts(kept, plan, counted, server)),
        tuple(exchanges),
        tuple(_scan(item, counted.get(item.operator.number, {}), server) for item in queries.scans(plan)),
        tuple(shuffles.steps(plan)),
        tuple(stages),
        tuple(costs.warnings(plan, exchanges, stages)),
        server.files(kept.relation) if stored else None,
    )


def _scan(scan: queries.Scan, mine: Counted, server: Server) -> ScanFact:
    detail = server.detail(scan.table)
    return ScanFact(
        scan.operator.number,
        scan.table,
        len(scan.columns),
        detail.columns,
        count(mine, "number of files read"),
        detail.files,
        count(mine, "number of partitions read"),
        detail.partitions,
        amount(mine, "size of files read"),
        detail.bytes,
        count(mine, "number of output rows"),
        scan.partition_filters,
        scan.pushed_filters,
    )
