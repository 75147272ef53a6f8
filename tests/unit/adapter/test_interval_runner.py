"""What Ctrl-C says of the commits that were under way."""

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
def test_commits_are_named_though_their_statements_end_at_once(planned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled statement's commit is under way no longer; a run without intervals has nothing to say."""
    said: list[str] = []
    monkeypatch.setattr(runner.logger, "info", said.append)
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
    assert said == ([of_trips, "the run was stopped: `dbt run` builds what is missing"] if planned else [])
