"""`penstock backfill` and `penstock batches`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from penstock.config import dbt_credentials
from penstock.config.settings import Settings, load
from penstock.lake import catalog as catalogs
from penstock.lake import landing_requests
from penstock.lake.landing_report import ProgressBar
from penstock.report import ledger_listing
from penstock.report.build_summary import query
from penstock.spark.server import control
from penstock.workflows.backfill import Backfill, Step

WIDTH = 150


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backfill)
    app.command()(batches)


def backfill(
    dataset: Annotated[str, typer.Argument(help="A dataset of lake.yml, as in green.")],
    first: Annotated[str, typer.Argument(help="The first month, as in 2023-01.")],
    last: Annotated[str, typer.Argument(help="The last month, as in 2023-12.")],
    from_: Annotated[
        str | None, typer.Option("--from", help="Folder or address to land from, instead of the published one.")
    ] = None,
) -> None:
    """Land and build months, one after another; the same command again goes on where it stopped."""
    settings = load()
    catalog = catalogs.load(settings.root)
    chosen = catalog.dataset(dataset)
    requests = landing_requests.request_months(chosen, [f"{first}..{last}"], from_, settings.root)
    console = Console(highlight=False)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("months"), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip

    def ended(step: Step) -> None:
        landed = ", ".join(dict.fromkeys(step.landed))
        models = ", ".join(step.models) or "nothing: all of it was built already"
        bar.console.print(f"{step.name}  {landed}  built {models}  {step.seconds:.1f} s", soft_wrap=True)

    with bar, ProgressBar(Console(quiet=True)) as silent:
        land = partial(
            landing_requests.land_request, catalog, chosen, lake_dir=settings.lake_dir, progress=silent.update
        )
        task = bar.add_task(f"backfill {dataset}", total=len(requests))

        def progress(done: int, words: str) -> None:
            bar.update(task, completed=done, description=words)

        try:
            if not control.is_remote(settings):
                control.up(settings, partial(progress, 0))
            with _turn(settings, bar.console):
                Backfill(settings.root, dataset, progress, ended).run(
                    [(request.month, partial(land, request)) for request in requests]
                )
        except KeyboardInterrupt:
            bar.stop()
            words = "every month listed above is whole, the one under way is as it was before"
            print(f"penstock: interrupted; {words}. The same command again goes on with it", file=sys.stderr)
            raise typer.Exit(130) from None
    console.print(f"[green]done[/green]  {len(requests)} months of {dataset}; `dbt test` checks them")


@contextmanager
def _turn(settings: Settings, console: Console) -> Iterator[None]:
    """One backfill of a project at a time: the next one waits, and finds what the first one built."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.state_dir / "backfill.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print("another backfill of this project is under way; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def batches(
    models: Annotated[list[str] | None, typer.Argument(help="Only these models.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every attempt, not the last of each interval alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the ledger: what was built for each model and interval, from what, by which run."""
    settings = load()
    if not control.is_remote(settings):
        control.up(settings)
    schema = dbt_credentials.schema_of(settings.root, settings.target)
    rows = ledger_listing.rows(partial(query, settings), schema, models or [])
    chosen = rows if every else ledger_listing.last(rows)
    # A table that goes into a file or a pipe is as wide as it needs to be.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    if as_json:
        for row in chosen:
            print(json.dumps(row, default=str))
    else:
        ledger_listing.show(console, chosen)
