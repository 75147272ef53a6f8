"""The command `penstock lineage MODEL.COLUMN`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import typer
from rich.console import Console

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.lineage import column_reference, terminal
from penstock.report import column_lineage

WIDTH_OF_FILES = 1000


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="lineage")(lineage)


def lineage(
    column: str = typer.Argument(help="A column: MODEL.COLUMN or SOURCE.TABLE.COLUMN.", metavar="MODEL.COLUMN"),
    upstream: bool = typer.Option(False, "--upstream", help="Show the inputs of the column. This is the default."),
    downstream: bool = typer.Option(False, "--downstream", help="Show the columns that are computed from the column."),
    as_json: bool = typer.Option(False, "--json", help="Print the edges of the lineage as JSON."),
) -> None:
    """Show where the values of a column come from, or which columns are computed from it.

    The command reads the compiled SQL of all models. The lineage of Python models is declared in `meta`, or guessed
    from equal names.
    """
    if upstream and downstream:
        raise PenstockError("one direction", "--upstream and --downstream", "give one of them")
    errors = Console(stderr=True, highlight=False)
    settings = load()
    with errors.status("reading the project"):
        project = column_lineage.load(settings)
    start = column_reference.find(column, project.nodes.by_id, project.graph)
    if as_json:
        edges = project.graph.downstream(*start) if downstream else project.graph.upstream(*start)
        values = {
            "node": start[0],
            "column": start[1],
            "direction": "downstream" if downstream else "upstream",
            "edges": [asdict(edge) for edge in edges],
            "columns_from": project.known.origins,
        }
        sys.stdout.write(json.dumps(values, indent=1) + "\n")
        return
    # A file or pipe has no width, so use a width that fits one input on each line.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    terminal.show(console, project.graph, project.nodes.by_id, start, downstream)
    if project.known.origins:
        errors.print(f"columns of inputs without SQL: {project.known.summary()}", style="dim", soft_wrap=True)
