"""Store the captured plan of each model's last run in dbt's target folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.plans.operators import Plan
from penstock.plans.plan_parser import parse
from penstock.plans.rest_api import ExecutedPlan, Stage
from penstock.storage import private_files

FOLDER = "plans"


@dataclass(frozen=True)
class CapturedPlan:
    """The plan of a model's last run.

    Attributes:
        node: dbt's unique id, `model.project.name`.
        relation: the table that the model wrote, `schema.table`.
        code: fingerprint of the model's code in that run.
        sql: the model's compiled query; empty for a Python model.
        views: for each view that the query reads, the stored tables behind it, as `schema.table`.
        explained: EXPLAIN FORMATTED of the main statement's query just before it ran; empty if
            Spark could not explain the query.
        missing: why there is no EXPLAIN output, if a setting is the reason.
        executed: the plan that ran; None if Spark's REST API did not have it.
    """

    node: str
    relation: str
    code: str
    sql: str = ""
    views: dict[str, list[str]] = field(default_factory=dict)
    explained: str = ""
    executed: ExecutedPlan | None = None
    missing: str = ""

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.node.rsplit(".", 1)[-1]

    @property
    def plan(self) -> Plan | None:
        """Return the executed plan or, if it is missing, the explained plan; None if both are missing.

        Raises:
            NotAPlan: the captured text is not a plan.
        """
        text = self.executed.plan if self.executed else self.explained
        return parse(text) if text else None

    @property
    def source(self) -> str:
        """Return a description of the plan that `plan` returns, for messages."""
        return "the plan that ran" if self.executed else "the plan before the run"

    def with_executed(self, executed: ExecutedPlan | None) -> CapturedPlan:
        """Return a copy with the executed plan."""
        return replace(self, executed=executed)


def path(target: Path, node: str) -> Path:
    """Return the file of a node's plan in dbt's target folder."""
    return target / FOLDER / f"{node}.json"


def write(target: Path, captured: CapturedPlan) -> None:
    """Write a plan, replacing the node's previous plan atomically."""
    file = path(target, captured.node)
    private_files.make_folder(file.parent)
    private_files.write(file, json.dumps(asdict(captured), indent=1))


def parse_executed_plan(data: dict[str, Any] | None) -> ExecutedPlan | None:
    """Return the executed plan in parsed JSON, or None if the JSON is empty."""
    if not data:
        return None
    metrics = [(title, values) for title, values in data["metrics"]]
    return ExecutedPlan(**{**data, "metrics": metrics, "stages": [Stage(**stage) for stage in data["stages"]]})


def read(target: Path, node: str) -> CapturedPlan | None:
    """Return a node's captured plan, or None if the file is missing or unreadable for this version of penstock."""
    try:
        data = json.loads(path(target, node).read_text())
        return CapturedPlan(**{**data, "executed": parse_executed_plan(data["executed"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
