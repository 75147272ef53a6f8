"""The plans of nodes that are running, until the adapter stores them when the node ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan


@dataclass(frozen=True)
class PendingPlan:
    """The plan of a running node.

    Attributes:
        explained: EXPLAIN FORMATTED of the main statement's query; empty when Spark could not explain it.
        matches: returns whether a description in Spark's REST API is that of the main statement; None when the
            server does not run the statement.
        executed: the executed plan, when it is known already.
        captured: the plan that is stored already; None when none is.
    """

    explained: str = ""
    matches: Callable[[str], bool] | None = None
    executed: ExecutedPlan | None = None
    captured: CapturedPlan | None = None


_pending: dict[str, PendingPlan] = {}


def add(node: str, plan: PendingPlan) -> None:
    """Add the plan of a running node; each node runs on one thread at a time."""
    _pending[node] = plan


def pop(node: str) -> PendingPlan | None:
    """Remove and return the plan of a node; None when it has none."""
    return _pending.pop(node, None)
