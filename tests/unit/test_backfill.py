"""A backfill lands and builds months in order, and stops at the first failure."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.lake.landing_report import ReportLine
from penstock.workflows import backfill
from penstock.workflows.backfill import Backfill, Step
from penstock.workflows.dbt_runner import CommandResult

MONTHS = [date(2024, month, 1) for month in (1, 2, 3, 4)]
REFUSED = PenstockError("a file", "none", "land it")


class Dbt:
    """A stand-in for dbt that records each command with the requested intervals."""

    def __init__(self, fails_on: str = "") -> None:
        self.commands: list[tuple[str, str]] = []
        self.fails_on = fails_on

    def run_command(self, root: Path, arguments: list[str], node_finished: Callable[[str, str], None]) -> CommandResult:
        intervals = os.environ[backfill.INTERVALS_VARIABLE]
        self.commands.append((arguments[0], intervals))
        node_finished("trips", "success")
        if self.fails_on and self.fails_on in intervals:
            return CommandResult(False, {"trips": "no memory"}, {"trips": "no memory"})
        return CommandResult(True, {"trips": f"built {intervals}", "views": "created"}, {})


class Run:
    """A backfill of green with its reported steps.

    Args:
        outcomes: the landing's outcome for each of the months; None if it is refused.
    """

    def __init__(self, folder: Path, outcomes: list[str | None]) -> None:
        self.steps: list[Step] = []
        self.progress: list[tuple[int, str]] = []
        self.waited = threading.Event()
        self._months = [(month, self._land(month, outcome)) for month, outcome in zip(MONTHS, outcomes, strict=False)]
        self._backfill = Backfill(
            load(folder),
            "green",
            lambda done, description: self.progress.append((done, description)),
            self.steps.append,
            self.waited.set,
        )

    @staticmethod
    def _land(month: date, outcome: str | None) -> Callable[[], ReportLine]:
        def land() -> ReportLine:
            if outcome is None:
                return ReportLine("green", month, "refused", error=REFUSED)
            return ReportLine("green", month, outcome)

        return land

    def start(self) -> None:
        self._backfill.run(self._months)


@pytest.fixture
def dbt(monkeypatch: pytest.MonkeyPatch) -> Dbt:
    """Commands go to the stand-in, and no server starts."""
    dbt = Dbt()
    monkeypatch.setattr("penstock.workflows.dbt_runner.run_command", dbt.run_command)
    monkeypatch.setattr("penstock.spark.server.control.is_remote", lambda settings: True)
    monkeypatch.delenv(backfill.INTERVALS_VARIABLE, raising=False)
    return dbt


def test_landed_months_are_built_one_by_one_and_unchanged_months_together(dbt: Dbt, tmp_path: Path) -> None:
    run = Run(tmp_path, ["unchanged", "unchanged", "landed", "replaced"])
    run.start()
    assert dbt.commands == [
        ("build", "1000-01"),
        ("run", "2024-01..2024-02"),
        ("run", "2024-03..2024-03"),
        ("run", "2024-04..2024-04"),
    ]
    assert [step.name for step in run.steps] == ["2024-01..2024-02", "2024-03", "2024-04"]
    assert [step.landed for step in run.steps] == [["unchanged", "unchanged"], ["landed"], ["replaced"]]
    assert run.steps[0].models == ["trips"]
    assert run.progress[-1] == (4, "build 2024-04")
    assert (2, "build 2024-03: trips") in run.progress
    assert backfill.INTERVALS_VARIABLE not in os.environ


def test_a_refused_month_ends_the_backfill_after_the_unchanged_months_are_built(dbt: Dbt, tmp_path: Path) -> None:
    run = Run(tmp_path, ["unchanged", None, "landed"])
    with pytest.raises(PenstockError) as caught:
        run.start()
    assert caught.value is REFUSED
    assert [step.name for step in run.steps] == ["2024-01"]


def test_a_failed_model_ends_the_backfill(dbt: Dbt, tmp_path: Path) -> None:
    dbt.fails_on = "2024-02"
    run = Run(tmp_path, ["landed", "landed", "landed"])
    with pytest.raises(PenstockError) as caught:
        run.start()
    assert caught.value.found == "trips: no memory"
    assert [step.name for step in run.steps] == ["2024-01"]


def test_a_second_backfill_waits_for_the_first(dbt: Dbt, tmp_path: Path) -> None:
    (tmp_path / ".penstock").mkdir()
    run = Run(tmp_path, ["landed"])
    with FileLock(tmp_path / ".penstock" / "backfill.lock"):
        second = threading.Thread(target=run.start)
        second.start()
        assert run.waited.wait(10)
        assert dbt.commands == []
    second.join(10)
    assert [step.name for step in run.steps] == ["2024-01"]
