"""Output of the lake's commands: a progress bar for slow steps, and tables of months."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from penstock.errors import PenstockError
from penstock.lake.catalog import Catalog
from penstock.lake.manifest import Entry, LiveMonths

# Called with (step, unit, done so far, total or None if it is unknown).
ProgressUpdate = Callable[[str, str, int, int | None], None]

# A bar appears only after its step has taken this many seconds.
BAR_DELAY = 2.0
STYLE = {
    **{"landed": "green", "repaired": "green", "replaced": "yellow", "removed": "yellow"},
    **{"unchanged": "dim", "kept": "dim"},
}


class ProgressBar:
    """A progress bar that appears if a step takes longer than two seconds, and disappears when the step ends."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._step = ""
        self._started = 0.0

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, step: str, unit: str, done: int, total: int | None) -> None:
        """Show the progress of a step. If `step` differs from the previous call, start a new bar.

        Args:
            step: description of the step.
            unit: what is counted, for example `rows` or `bytes`.
            done: number of finished units.
            total: total number of units, or None if it is unknown.
        """
        if step != self._step:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task, self._step, self._started = None, step, time.monotonic()
        if self._task is None and time.monotonic() - self._started > BAR_DELAY:
            self._progress.start()
            self._task = self._progress.add_task(step, unit=unit, total=total)
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)


@dataclass(frozen=True)
class ReportLine:
    """The outcome of one month, for the report at the end of a command.

    Attributes:
        outcome: landed, replaced, repaired, unchanged, kept, removed or refused.
        entry: manifest entry of the month; None if the month was refused.
        extra: columns of the source that did not land.
        error: the reason of the refusal; None if the month was not refused.
    """

    dataset: str
    month: date
    outcome: str
    entry: Entry | None = None
    extra: tuple[str, ...] = ()
    error: PenstockError | None = None


def show_lines(console: Console, lines: Sequence[ReportLine]) -> bool:
    """Print a table of months and the reason of each refusal. Return True if no month was refused."""
    table = Table(box=None, pad_edge=False)
    for name in ("dataset", "month", "outcome"):
        table.add_column(name, no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("rounded", justify="right", no_wrap=True)
    for line in lines:
        style = STYLE.get(line.outcome, "red")
        numbers = (f"{line.entry.rows:,}", f"{line.entry.rounded_values:,}") if line.entry else ("", "")
        table.add_row(line.dataset, f"{line.month:%Y-%m}", f"[{style}]{line.outcome}[/{style}]", *numbers)
    console.print(table)
    for line in lines:
        if line.extra:
            text = f"{line.dataset} {line.month:%Y-%m}: columns that lake.yml does not name were left out: "
            console.print(text + ", ".join(line.extra), soft_wrap=True, markup=False, highlight=False)
        if line.entry and line.entry.blank_beyond and line.outcome != "removed":
            text = f"{line.dataset} {line.month:%Y-%m}: blank cells beyond the header were left out of "
            console.print(f"{text}{line.entry.blank_beyond:,} rows", soft_wrap=True, markup=False, highlight=False)
    refused = [line for line in lines if line.error]
    for line in refused:
        text = f"refused {line.dataset} {line.month:%Y-%m}: {line.error}"
        console.print(text, soft_wrap=True, markup=False, highlight=False)
    if refused:
        console.print(f"{len(refused)} of {len(lines)} refused; what was live before is still live", highlight=False)
    return not refused


def show_lake(console: Console, live: LiveMonths, catalog: Catalog, version: int) -> None:
    """Print a table of the live months. Mark the months that landed before their columns in `lake.yml` changed."""
    table = Table(box=None, pad_edge=False)
    for name in ("dataset", "month"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("landed (UTC)", no_wrap=True)
    table.add_column("source", overflow="fold")
    stale = 0
    unknown = sorted({name for name, _ in live if name not in catalog.datasets})
    for (name, month), entry in sorted(live.items()):
        dataset = catalog.datasets.get(name)
        is_stale = dataset is not None and dataset.schema_fingerprint != entry.schema_fingerprint
        stale += is_stale
        label = f"{name} [yellow]*[/yellow]" if is_stale or name in unknown else name
        table.add_row(
            label, f"{month:%Y-%m}", f"{entry.rows:,}", f"{entry.bytes:,}", f"{entry.landed_at:%Y-%m-%d %H:%M}",
            entry.source,
        )  # fmt: skip
    console.print(table)
    rows = sum(entry.rows for entry in live.values())
    console.print(f"{len(live)} live months, {rows:,} rows, manifest version {version}", highlight=False)
    if stale:
        console.print(f"* {stale} landed with other columns than lake.yml now names: land them again", markup=False)
    for name in unknown:
        months = [month for dataset, month in live if dataset == name]
        range_ = f"{min(months):%Y-%m}..{max(months):%Y-%m}"
        console.print(
            f"* lake.yml doesn't describe {name}: describe it again, or type `penstock remove {name} {range_}`",
            markup=False,
        )
