"""What is learned of a node's plan while it runs, until the adapter keeps it at the node's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan


@dataclass(frozen=True)
class Noted:
    """What one run of a node told of its plan.

    Attributes:
        explained: EXPLAIN FORMATTED of the main statement's query; empty when Spark couldn't.
        matches: tells its statements by their description in Spark's status; None when the server's
            status doesn't have them.
        executed: the plan that ran, when it is known already.
        kept: what is in its file already; None when nothing was written yet.
    """

    explained: str = ""
    matches: Callable[[str], bool] | None = None
    executed: ExecutedPlan | None = None
    kept: CapturedPlan | None = None


_noted: dict[str, Noted] = {}


def note(node: str, noted: Noted) -> None:
    """Note a node's plan; each node runs on one thread at a time."""
    _noted[node] = noted


def take(node: str) -> Noted | None:
    """What was noted of a node, once."""
    return _noted.pop(node, None)
