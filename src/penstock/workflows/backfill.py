"""Land and build months in order.

A backfill stores no state. The lake's manifest records the landed months, and the run ledger records the
built months. After any interruption, the same command therefore continues with the missing months.
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

# If this environment variable is set, the adapter builds only the stale intervals that the variable names.
INTERVALS_VARIABLE = "PENSTOCK_INTERVALS"
GRAIN = GRAINS[MONTH]
Land = Callable[[], ReportLine]


@dataclass
class Step:
    """Months that one dbt run builds.

    Attributes:
        months: the months, in order.
        landed: the outcome of landing each month.
        seconds: duration of landing and building the months.
        built: dbt's message for each model, by the model's name.
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
        """Return the names of the models that built at least one interval."""
        return [name for name, message in self.built.items() if message.startswith("built")]


class Backfill:
    """A backfill of one dataset.

    Args:
        settings: the project's settings.
        dataset: the dataset to land.
        progress: called with the number of finished months and a description of the current action.
        finished: called with each finished step.
        waiting: called once if this backfill has to wait for another one of the project.
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
        """Start the server, wait for other backfills of the project to end, and land and build the months.

        Args:
            months: pairs of a month and the function that lands it.

        Raises:
            PenstockError: landing refused a month, or a model failed. The months before it are built.
        """
        if not control.is_remote(self._settings):
            control.up(self._settings, partial(self._progress, 0))
        with _exclusive(self._settings.state_dir, self._waiting):
            self._build_other_inputs()
            self._land_and_build(months)

    def _land_and_build(self, months: Sequence[tuple[date, Land]]) -> None:
        """Land and build each month. Consecutive months whose landing is `unchanged` share one dbt run."""
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
        """Build the seeds, tables and views that the dataset's models read in addition to the dataset."""
        source = f"source:{SCHEMA}.{self._dataset}"
        selection = ["--select", f"@{source}", "--exclude", f"{source}+", "resource_type:snapshot"]
        no_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
        # The tables of other datasets' models must exist, but this run must not build an interval of them. So request a
        # month without data.
        with dbt_runner.environment(INTERVALS_VARIABLE, GRAIN.show(date(1000, 1, 1))):
            self._run_dbt(["build", *selection, *no_tests], "other inputs of its models")

    def _build(self, step: Step) -> None:
        if not step.months:
            return
        start = time.monotonic()
        description = f"build {step.name}"
        # Exclude training: it uses all months, so training once after the backfill is enough.
        selection = ["--select", f"source:{SCHEMA}.{self._dataset}+", "--exclude", "tag:ml"]
        first, last = GRAIN.show(step.months[0]), GRAIN.show(step.months[-1])
        with dbt_runner.environment(INTERVALS_VARIABLE, f"{first}..{last}"):
            step.built = self._run_dbt(["run", *selection], description)
        step.seconds += time.monotonic() - start
        self._months_done += len(step.months)
        self._finished(step)
        self._progress(self._months_done, description)

    def _run_dbt(self, arguments: list[str], description: str) -> dict[str, str]:
        """Run a dbt command and return dbt's message for each node, by the node's name.

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
    """Hold the project's backfill lock. A second backfill waits, and then finds the months that the first one built.

    Args:
        state_dir: the state folder of the project's target.
        waiting: called once if another process holds the lock.
    """
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
