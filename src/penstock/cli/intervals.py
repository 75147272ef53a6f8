"""The commands `penstock backfill` and `penstock batches`."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from penstock.config import dbt_credentials
from penstock.config.settings import load
from penstock.lake import catalog as catalogs
from penstock.lake import landing_requests
from penstock.lake.landing_report import ProgressBar
from penstock.report import ledger_listing
from penstock.report.warehouse_query import run_query
from penstock.spark.server import control
from penstock.workflows.backfill import Backfill, Step

PIPE_WIDTH = 150


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backfill)
    app.command()(batches)


def backfill(
    dataset: Annotated[str, typer.Argument(help="A dataset of lake.yml, for example green.")],
    first: Annotated[str, typer.Argument(help="The first month, for example 2023-01.")],
    last: Annotated[str, typer.Argument(help="The last month, for example 2023-12.")],
    from_: Annotated[
        str | None, typer.Option("--from", help="Folder or address of the files. Default: the address in lake.yml.")
    ] = None,
) -> None:
    """Land and build months in order. After an interruption, run the same command again to continue."""
    settings = load()
    catalog = catalogs.load(settings.root)
    chosen = catalog.dataset(dataset)
    requests = landing_requests.request_months(chosen, [f"{first}..{last}"], from_, settings.root)
    console = Console(highlight=False)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("months"), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip

    def show_step(step: Step) -> None:
        landed = ", ".join(dict.fromkeys(step.landed))
        models = ", ".join(step.models) or "nothing: all of it was built already"
        console.print(f"{step.name}  {landed}  built {models}  {step.seconds:.1f} s", soft_wrap=True)

    def show_waiting() -> None:
        console.print("another backfill of this project is running; waiting for it")

    with bar, ProgressBar(Console(quiet=True)) as silent:
        land = partial(
            landing_requests.land_request, catalog, chosen, lake_dir=settings.lake_dir, progress=silent.update
        )
        task = bar.add_task(f"backfill {dataset}", total=len(requests))

        def show_progress(done: int, description: str) -> None:
            bar.update(task, completed=done, description=description)

        try:
            Backfill(settings, dataset, show_progress, show_step, show_waiting).run(
                [(request.month, partial(land, request)) for request in requests]
            )
        except KeyboardInterrupt:
            bar.stop()
            message = "every month listed above is complete, the current month is as it was before"
            print(f"penstock: interrupted; {message}. Run the same command again to continue", file=sys.stderr)
            raise typer.Exit(130) from None
    console.print(f"[green]done[/green]  {len(requests)} months of {dataset}; `dbt test` checks them")


def batches(
    models: Annotated[list[str] | None, typer.Argument(help="Show only these models.")] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Show every attempt. By default, only the last attempt of each interval is shown."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Show the run ledger: for each interval of a model, its result, its number of rows, and the run that built it."""
    settings = load()
    if not control.is_remote(settings):
        control.up(settings)
    schema = dbt_credentials.target_schema(settings.root, settings.target)
    rows = ledger_listing.read_ledger(partial(run_query, settings), schema, models or [])
    chosen = rows if every else ledger_listing.latest(rows)
    if as_json:
        for row in chosen:
            print(json.dumps(row, default=str))
        return
    # A file or pipe has no width, so use a width that fits all columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    ledger_listing.show(console, chosen)
