"""The commands `penstock quickstart` and `penstock summary`."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from penstock.config.settings import load
from penstock.spark.server import control
from penstock.workflows import quickstart as workflow
from penstock.workflows.progress import Phases


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(quickstart)
    app.command()(summary)


def quickstart(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every line that dbt prints.")] = False,
) -> None:
    """Create the sample lake, start the server, build and test the warehouse, and show a summary."""
    settings = load()
    control.refuse_remote(settings)
    start = time.monotonic()
    try:
        with Phases(Console(highlight=False), quiet=verbose) as phases:
            exit_code, result = workflow.run(settings, phases, verbose)
    except workflow.SampleError as error:
        print(error.output, end="", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    if result:
        from penstock.report import build_summary

        build_summary.show(result, time.monotonic() - start)
    if exit_code:
        raise typer.Exit(exit_code)


def summary() -> None:
    """Show the summary of the last build again."""
    from penstock.report import build_summary

    build_summary.show(build_summary.gather(load()), None)
