"""The plan that a model last ran with, kept in a file of dbt's target folder until the model runs again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.plans.operators import Plan
from penstock.plans.parse import parse
from penstock.plans.rest_api import Executed, Stage
from penstock.storage import private_files

FOLDER = "plans"


@dataclass(frozen=True)
class Kept:
    """What is known of a model's last run.

    Attributes:
        node: dbt's unique id, `model.project.name`.
        relation: the table it wrote, `schema.table`.
        code: fingerprint of the code the plan belongs to.
        sql: the model's compiled query; empty for a Python model.
        views: for each view that the query reads, the stored tables behind it, as `schema.table`.
        explained: EXPLAIN FORMATTED of the main statement's query, just before it ran; empty when
            Spark could not explain it.
        executed: the plan that ran; None when Spark's REST status didn't have it.
    """

    node: str
    relation: str
    code: str
    sql: str = ""
    views: dict[str, list[str]] = field(default_factory=dict)
    explained: str = ""
    executed: Executed | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.node.rsplit(".", 1)[-1]

    @property
    def plan(self) -> Plan | None:
        """The plan that ran; else the explained one; None without either.

        Raises:
            NotAPlan: the kept text is no plan.
        """
        text = self.executed.plan if self.executed else self.explained
        return parse(text) if text else None

    @property
    def source(self) -> str:
        """Which plan `plan` is, in words for messages."""
        return "the plan that ran" if self.executed else "the plan before the run"

    def with_executed(self, executed: Executed | None) -> Kept:
        """The same, with the plan that ran."""
        return replace(self, executed=executed)


def path(target: Path, node: str) -> Path:
    """Where a node's plan lies below dbt's target folder."""
    return target / FOLDER / f"{node}.json"


def write(target: Path, kept: Kept) -> None:
    """Keep a plan in place of the one before, at one instant."""
    file = path(target, kept.node)
    private_files.make_folder(file.parent)
    private_files.write(file, json.dumps(asdict(kept), indent=1))


def as_executed(data: dict[str, Any] | None) -> Executed | None:
    """An executed plan from its JSON."""
    if not data:
        return None
    metrics = [(name, counted) for name, counted in data["metrics"]]
    return Executed(**{**data, "metrics": metrics, "stages": [Stage(**stage) for stage in data["stages"]]})


def read(target: Path, node: str) -> Kept | None:
    """A node's kept plan; None when there is none, or none that this version can read."""
    try:
        data = json.loads(path(target, node).read_text())
        return Kept(**{**data, "executed": as_executed(data["executed"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
