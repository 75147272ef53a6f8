"""The plans of running nodes. When a node ends, the adapter takes the node's plan from this module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan


@dataclass(frozen=True)
class PendingPlan:
    """The plan of a running node.

    Attributes:
        explained: the output of EXPLAIN FORMATTED for the main statement's query, or empty if EXPLAIN failed or
            was cancelled.
        matches: returns whether a description in Spark's REST API belongs to the main statement. None if the server
            does not run the main statement.
        job_tag: the tag of the main statement's jobs on Spark Connect, whose descriptions don't contain the statement.
        executed: the executed plan, or None if it is not known yet.
        captured: the stored plan, or None if no plan is stored yet.
    """

    explained: str = ""
    matches: Callable[[str], bool] | None = None
    job_tag: str = ""
    executed: ExecutedPlan | None = None
    captured: CapturedPlan | None = None


_pending: dict[str, PendingPlan] = {}


def add(node: str, plan: PendingPlan) -> None:
    """Add the plan of a running node. Each node runs on one thread at a time."""
    _pending[node] = plan


def pop(node: str) -> PendingPlan | None:
    """Remove and return the plan of a node, or return None if the node has no plan."""
    return _pending.pop(node, None)
