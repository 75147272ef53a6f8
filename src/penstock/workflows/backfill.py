"""Land and build months one after another.

A backfill stores no state. The lake's manifest records the landed months and the run ledger records the built
ones, so a second call continues after an interruption, whatever its cause.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH, format_intervals
from penstock.lake.catalog import SCHEMA
from penstock.lake.landing_report import ReportLine
from penstock.spark.server import control
from penstock.workflows import dbt_runner

# The adapter builds only those stale intervals that this environment variable names.
INTERVALS_VARIABLE = "PENSTOCK_INTERVALS"
GRAIN = GRAINS[MONTH]
Land = Callable[[], ReportLine]


@dataclass
class Step:
    """Months that one dbt run builds.

    Attributes:
        months: the months, in order.
        landed: the landing's outcome for each month.
        seconds: duration of landing and building.
        built: the message of each model, by name.
    """

    months: list[date]
    landed: list[str]
    seconds: float = 0.0
    built: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the months as text."""
        return format_intervals(self.months, GRAIN)

    @property
    def models(self) -> list[str]:
        """Return the names of the models that built an interval."""
        return [name for name, message in self.built.items() if message.startswith("built")]


class Backfill:
    """A backfill of one dataset.

    Args:
        settings: the project's settings.
        dataset: the dataset to land.
        progress: called with the number of finished months and a description of the current action.
        finished: called with each finished step.
        waiting: called once if another backfill of the project is running.
    """

    def __init__(
        self,
        settings: Settings,
        dataset: str,
        progress: Callable[[int, str], None],
        finished: Callable[[Step], None],
        waiting: Callable[[], None],
    ) -> None:
        self._settings, self._dataset = settings, dataset
        self._progress, self._finished, self._waiting = progress, finished, waiting
        self._months_done = 0

    def run(self, months: Sequence[tuple[date, Land]]) -> None:
        """Start the server, wait for other backfills of the project, and land and build months.

        Args:
            months: each month with the function that lands it.

        Raises:
            PenstockError: a month was refused or a model failed. Earlier months stay built.
        """
        if not control.is_remote(self._settings):
            control.up(self._settings, partial(self._progress, 0))
        with _exclusive(self._settings.state_dir, self._waiting):
            self._build_other_inputs()
            self._land_and_build(months)

    def _land_and_build(self, months: Sequence[tuple[date, Land]]) -> None:
        """Land and build each month; one dbt run builds all adjacent months that had landed before."""
        unchanged = Step([], [])
        for month, land in months:
            start = time.monotonic()
            self._progress(self._months_done, f"land {self._dataset} {GRAIN.show(month)}")
            line = land()
            if line.error:
                self._build(unchanged)
                raise line.error
            if line.outcome == "unchanged":
                unchanged.months.append(month)
                unchanged.landed.append(line.outcome)
                unchanged.seconds += time.monotonic() - start
                continue
            self._build(unchanged)
            unchanged = Step([], [])
            self._build(Step([month], [line.outcome], time.monotonic() - start))
        self._build(unchanged)

    def _build_other_inputs(self) -> None:
        """Build the other inputs of the dataset's models: seeds, tables, views."""
        source = f"source:{SCHEMA}.{self._dataset}"
        selection = ["--select", f"@{source}", "--exclude", f"{source}+", "resource_type:snapshot"]
        no_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
        # Models of other datasets need to exist, but must build no interval: none is stale in the year 1000.
        with dbt_runner.environment(INTERVALS_VARIABLE, GRAIN.show(date(1000, 1, 1))):
            self._run_dbt(["build", *selection, *no_tests], "other inputs of its models")

    def _build(self, step: Step) -> None:
        if not step.months:
            return
        start = time.monotonic()
        description = f"build {step.name}"
        # Training is excluded: it uses all months, so once after the backfill is enough.
        selection = ["--select", f"source:{SCHEMA}.{self._dataset}+", "--exclude", "tag:ml"]
        first, last = GRAIN.show(step.months[0]), GRAIN.show(step.months[-1])
        with dbt_runner.environment(INTERVALS_VARIABLE, f"{first}..{last}"):
            step.built = self._run_dbt(["run", *selection], description)
        step.seconds += time.monotonic() - start
        self._months_done += len(step.months)
        self._finished(step)
        self._progress(self._months_done, description)

    def _run_dbt(self, arguments: list[str], description: str) -> dict[str, str]:
        """Run a dbt command and return the message of each node.

        Raises:
            PenstockError: a node failed.
        """
        done = self._months_done
        self._progress(done, description)
        result = dbt_runner.run_command(
            self._settings.root,
            arguments,
            lambda name, status: self._progress(done, f"{description}: {name}"),
        )
        if not result.success:
            name, message = next(iter(result.failed.items()), ("dbt", "failed"))
            raise PenstockError(
                f"every model of {self._dataset} to succeed ({description})",
                f"{name}: {' '.join(message.split())}",
                "correct what the message names, then run the same command again: it continues with the missing months",
            )
        return result.messages


@contextmanager
def _exclusive(state_dir: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the project's backfill lock, so that a second backfill finds the months that the first one built."""
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(state_dir / "backfill.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
