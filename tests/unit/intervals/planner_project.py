"""A planner of interval models with a graph, a lake and a ledger, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.grain import GRAINS, MONTH
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.model_config import IntervalConfig
from penstock.intervals.model_graph import GraphModel, ModelInputs
from penstock.intervals.planned_commits import IntervalPlan
from penstock.intervals.planner import IntervalPlanner
from penstock.intervals.staleness import BuiltInterval, RequestedIntervals
from penstock.intervals.table_state import IntervalTable

JANUARY, FEBRUARY, MARCH, APRIL = (date(2024, month, 1) for month in range(1, 5))


class Graph:
    """Interval models and their inputs."""

    def __init__(self) -> None:
        self.configs: dict[str, dict[str, Any]] = {
            "checked": {"intervals_per_commit": 2},
            "facts": {},
            "daily": {"batch_size": "day"},
            "by_month": {},
            "totals": {},
        }
        self.upstream = {
            "checked": ModelInputs((("lake", "green"), ("lake", "yellow")), (), (), "code of checked"),
            "facts": ModelInputs((), ("checked",), (), "code of facts"),
            "daily": ModelInputs((("lake", "green"),), (), (), "code of daily"),
            "by_month": ModelInputs((), ("daily",), (), "code of by_month"),
            "totals": ModelInputs((), ("facts",), ("checked",), "code of totals"),
        }
        self.deferred: dict[str, str] = {}

    def model(self, unique_id: str) -> GraphModel:
        config = IntervalConfig.parse({"event_time": "month", **self.configs[unique_id]}, unique_id)
        return GraphModel(unique_id, f"w.{unique_id}", config)

    def inputs(self, unique_id: str) -> ModelInputs:
        return self.upstream[unique_id]

    def deferred_model(self, unique_id: str) -> GraphModel | None:
        name = self.deferred.get(unique_id)
        return replace(self.model(unique_id), relation=name) if name else None


class Lake:
    """The months of two datasets, and the months whose files were verified."""

    schema, grain, registers = "lake", GRAINS[MONTH], True

    def __init__(self) -> None:
        self.live = {"green": {JANUARY: "g1", FEBRUARY: "g2"}, "yellow": {FEBRUARY: "y2", MARCH: "y3"}}
        self.verified: dict[str, set[date]] = {}

    def has_intervals(self, table: str) -> bool:
        return table in self.live

    def register(self, run_sql: Any) -> str:
        return ""

    def versions(self, run_sql: Any, table: str) -> dict[date, str]:
        return self.live[table]

    def rows(self, run_sql: Any, table: str, interval: date) -> int:
        return 10 if interval in self.live[table] else 0

    def verify(self, run_sql: Any, table: str, intervals: set[date]) -> None:
        self.verified[table] = intervals


class Ledger:
    """A ledger that knows some tables, and records killed commits."""

    relation = "w.batch_runs"

    def __init__(self) -> None:
        self.tables: dict[str, IntervalTable] = {}
        self.killed: list[tuple[str, CommitMetadata, str]] = []

    def table(self, run_sql: Any, model: Any, refresh: bool = False) -> IntervalTable:
        return self.tables[model.relation]

    def known(self, relation: str) -> IntervalTable | None:
        return self.tables.get(relation)

    def record_failed(
        self, run_sql: Any, model: Any, table: IntervalTable, metadata: CommitMetadata, outcome: str, message: str
    ) -> IntervalTable:
        self.killed.append((outcome, metadata, message))
        return replace(table, state=replace(table.state, failed=dict.fromkeys(metadata.intervals, 1)))


class Project:
    """A planner with a graph, a lake and a ledger.

    Attributes:
        logged: the planner's lines for the log.
        rows: the rows of a table that the ledger does not know.
        sent: the planner's statements.
    """

    def __init__(self, folder: Path) -> None:
        self.graph, self.lake, self.ledger, self.folder = Graph(), Lake(), Ledger(), folder
        self.logged: list[str] = []
        self.rows: list[Any] = []
        self.sent: list[str] = []

    def run_sql(self, sql: str) -> list[Any]:
        self.sent.append(sql)
        assert sql.startswith(("select 1 from ", "describe detail ")), sql
        return self.rows

    def plan(
        self, name: str, exists: bool = True, partial: str = "", read_only: bool = False, **requested: Any
    ) -> IntervalPlan:
        sources: Any = {"lake": self.lake}
        ledger: Any = self.ledger
        log = self.logged.append
        planner = IntervalPlanner(ledger, sources, self.graph, self.run_sql, self.folder, "run", log, read_only)
        return planner.plan(name, exists, lambda grain: RequestedIntervals(**requested), partial)

    def build(self, name: str, **changes: Any) -> None:
        """Put a model's table into the ledger, with all intervals that its first plan builds."""
        intervals = {
            day: BuiltInterval(planned.commit.commit_id, inputs, planned.commit.code, 1 + place, 7)
            for place, planned in enumerate(self.plan(name, exists=False).commits)
            for day, inputs in planned.commit.intervals.items()
        }
        grain = str(self.graph.configs[name].get("batch_size", "month"))
        self.ledger.tables[f"w.{name}"] = IntervalTable("id", grain, LedgerState(9, intervals), **changes)

    def built(self, name: str) -> dict[date, BuiltInterval]:
        """Return the intervals of a model's table, which a test may change."""
        return self.ledger.tables[f"w.{name}"].state.built
