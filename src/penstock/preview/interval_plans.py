"""Plan the interval models of the next run, without writing to the run ledger or to run markers.

An interval model is an incremental model that penstock builds by month or day. A run marker is a file that exists while
a commit of an interval model runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.interval_models.manifest_graph import ManifestGraph
from dbt.adapters.penstock.interval_models.requested_intervals import parse_requested_intervals
from dbt.adapters.penstock.interval_models.sources import IntervalSources
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.intervals import ledger_table
from penstock.intervals.grain import Grain
from penstock.intervals.planned_commits import IntervalPlan
from penstock.intervals.planner import IntervalPlanner
from penstock.intervals.run_ledger import RunLedger
from penstock.intervals.staleness import RequestedIntervals
from penstock.preview.warehouse import Warehouse, first_line


class IntervalPlans:
    """The plans of one preview. Plan upstream models first, so that downstream models see their new commits.

    Args:
        settings: the settings of the target.
        warehouse: runs statements.
        target_folder: dbt's target folder.
    """

    def __init__(self, settings: Settings, warehouse: Warehouse, target_folder: Path) -> None:
        self._warehouse, self._arguments = warehouse, warehouse.adapter.config.args
        self.ledger = RunLedger(
            f"{warehouse.schema}.{ledger_table.TABLE}", warehouse.adapter.intervals.find_log, read_only=True
        )
        sources = IntervalSources(lambda: settings, registers=False)
        graph = ManifestGraph(warehouse.manifest, sources, self._arguments, self._exists)
        self._planner = IntervalPlanner(
            self.ledger, sources, graph, warehouse.tuples, target_folder, "preview", lambda _: None, read_only=True
        )

    def _exists(self, database: Any, schema: str, name: str) -> bool:
        return self._warehouse.adapter.get_relation(database, schema, name) is not None

    def plan(self, node: Any, existing: Any) -> IntervalPlan:
        """Return the plan of a model, and treat its commits as built for the models that are planned later.

        Args:
            node: the model.
            existing: the model's relation; None if it does not exist.

        Raises:
            PenstockError: an input does not exist, or the configuration is invalid.
        """

        def requested(grain: Grain) -> RequestedIntervals:
            return parse_requested_intervals(self._arguments, grain, bool(node.config.full_refresh))

        try:
            plan = self._planner.plan(node.unique_id, existing is not None and bool(existing.is_table), requested, "")
        except PenstockError:
            raise
        except DbtRuntimeError as error:
            raise PenstockError(f"the intervals of {node.name}", first_line(error), "build its inputs first") from None
        self.ledger.assume_built(plan.commits)
        return plan
