"""`penstock backfill`: months landed and built one after another, and gone on with where it stopped.

It keeps no state of its own. What has landed stands in the lake's manifest, what is built in the
ledger, so a second call finds what is left, whoever or whatever ended the first one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH, format_intervals
from penstock.lake.catalog import SCHEMA
from penstock.lake.landing_report import Line
from penstock.workflows import dbt_runner

# The same variable as the adapter's: of the intervals that changed, only these are built.
WITHIN = "PENSTOCK_INTERVALS"
GRAIN = GRAINS[MONTH]


@dataclass
class Step:
    """Some months that one dbt run builds.

    Attributes:
        months: in order.
        landed: what landing made of them.
        seconds: how long landing and building took.
        built: by model, what dbt said of it.
    """

    months: list[date]
    landed: list[str]
    seconds: float = 0.0
    built: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The months as text."""
        return format_intervals(self.months, GRAIN)

    @property
    def models(self) -> list[str]:
        """The models that built something."""
        return [name for name, words in self.built.items() if words.startswith("built")]


class Backfill:
    """One call of the command.

    Args:
        root: the project's folder.
        dataset: what is landed.
        progress: called with (months done, what happens now).
        ended: called with each step that is through.
    """

    def __init__(
        self,
        root: Path,
        dataset: str,
        progress: Callable[[int, str], None],
        ended: Callable[[Step], None],
    ) -> None:
        self._root, self._dataset = root, dataset
        self._progress, self._ended = progress, ended
        self._through = 0

    def run(self, months: Sequence[tuple[date, Callable[[], Line]]]) -> None:
        """Land and build months.

        Months that were landed already are looked at by one dbt run together: when they were built
        too, that is all there is to do about them.

        Args:
            months: each with what lands it.

        Raises:
            PenstockError: a month was refused, or a model failed: those before it stay.
        """
        self._prepare()
        waiting = Step([], [])
        for month, land in months:
            begin = time.monotonic()
            self._progress(self._through, f"land {self._dataset} {GRAIN.show(month)}")
            line = land()
            if line.error:
                self._build(waiting)
                raise line.error
            if line.outcome == "unchanged":
                waiting.months.append(month)
                waiting.landed.append(line.outcome)
                waiting.seconds += time.monotonic() - begin
                continue
            self._build(waiting)
            waiting = Step([], [])
            self._build(Step([month], [line.outcome], time.monotonic() - begin))
        self._build(waiting)

    @property
    def _chosen(self) -> list[str]:
        """What is built of each month. What learns does so once, from all of them."""
        return ["--select", f"source:{SCHEMA}.{self._dataset}+", "--exclude", "tag:ml"]

    def _prepare(self) -> None:
        """What the dataset's models read beside it: seeds, tables, views, snapshots."""
        source = f"source:{SCHEMA}.{self._dataset}"
        chosen = ["--select", f"@{source}", "--exclude", f"{source}+", "resource_type:snapshot"]
        kinds = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
        # Models of other datasets are none of this command's business, but for their tables being there.
        with dbt_runner.environment(WITHIN, GRAIN.show(date(1000, 1, 1))):
            self._dbt(["build", *chosen, *kinds], 0, "what the models read beside it")

    def _build(self, step: Step) -> None:
        if not step.months:
            return
        begin = time.monotonic()
        words = f"build {step.name}"
        first, last = GRAIN.show(step.months[0]), GRAIN.show(step.months[-1])
        with dbt_runner.environment(WITHIN, f"{first}..{last}"):
            step.built = self._dbt(["run", *self._chosen], self._through, words)
        step.seconds += time.monotonic() - begin
        self._through += len(step.months)
        self._ended(step)
        self._progress(self._through, words)

    def _dbt(self, arguments: list[str], through: int, words: str) -> dict[str, str]:
        self._progress(through, words)
        done = dbt_runner.run(
            self._root, [*arguments], lambda name, status: self._progress(through, f"{words}: {name}")
        )
        if not done.success:
            name, said = next(iter(done.failed.items()), ("dbt", "failed"))
            raise PenstockError(
                f"every model of {self._dataset} to {words.split(':')[0]}",
                f"{name}: {' '.join(said.split())}",
                "mend what it says, then type the same command again: it goes on with what is missing",
            )
        return done.said
