"""The interval models of one dbt run."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from dbt.adapters.spark import SparkAdapter

from dbt.adapters.penstock import PenstockAdapter
from dbt.adapters.penstock.interval_models import runner
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from penstock.intervals.grain import GRAINS, MONTH

MODEL = SimpleNamespace(name="trips", grain=GRAINS[MONTH])


@pytest.mark.parametrize("planned", [True, False])
def test_running_commits_are_logged_on_an_interrupt(planned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although their statements end at once; a run without interval models logs nothing."""
    logged: list[str] = []
    monkeypatch.setattr(runner.logger, "info", logged.append)
    adapter: Any = PenstockAdapter.__new__(PenstockAdapter)
    intervals: Any = IntervalRunner.__new__(IntervalRunner)
    intervals._planned = planned
    intervals._running = {"model.p.trips": SimpleNamespace(model=MODEL, intervals=[date(2024, 3, 1)])}
    adapter.intervals = intervals

    def cancel(self: Any) -> list[str]:
        self.intervals._running.clear()
        return ["model.p.trips"]

    with patch.object(SparkAdapter, "cancel_open_connections", cancel):
        assert adapter.cancel_open_connections() == ["model.p.trips"]
    of_trips = "trips: interrupted while it built 2024-03; its table has all of it or none of it"
    assert logged == ([of_trips, "the run was stopped: `dbt run` builds what is missing"] if planned else [])
