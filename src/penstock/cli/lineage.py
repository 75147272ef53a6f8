"""The command `penstock lineage MODEL.COLUMN`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial

import typer
from rich.console import Console

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.lake import catalog, manifest_table
from penstock.lineage import column_reference, project_lineage, terminal
from penstock.lineage.known_columns import Columns, Describe
from penstock.report.warehouse_query import run_query
from penstock.spark.server import control

WIDTH_OF_FILES = 1000


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="lineage")(lineage)


def lineage(
    column: str = typer.Argument(help="A column, as in MODEL.COLUMN or SOURCE.TABLE.COLUMN.", metavar="MODEL.COLUMN"),
    upstream: bool = typer.Option(False, "--upstream", help="Show the inputs of the column. This is the default."),
    downstream: bool = typer.Option(False, "--downstream", help="Show the columns that are computed from the column."),
    as_json: bool = typer.Option(False, "--json", help="Print the edges as JSON instead."),
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
        project = project_lineage.load(settings, lake_columns(settings), _describe(settings))
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
    # In a file or a pipe, one line for each input.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    terminal.show(console, project.graph, project.nodes.by_id, start, downstream)
    errors.print(f"columns of inputs without SQL: {project.known.summary()}", style="dim", soft_wrap=True)


def lake_columns(settings: Settings) -> dict[str, Columns]:
    """Return the columns of the lake's tables by name; none if the project has no lake."""
    if not (settings.root / catalog.FILE_NAME).exists():
        return {}
    datasets = catalog.load(settings.root).datasets
    tables = {name: {column: type_ for column, type_, _ in dataset.table_columns} for name, dataset in datasets.items()}
    return {**tables, catalog.MANIFEST: {name: type_ for name, (_, type_, _) in manifest_table.COLUMNS.items()}}


def _describe(settings: Settings) -> Describe | None:
    """Return the function that reads a relation's columns from Spark; None if no server is running."""
    is_up = control.is_remote(settings) or control.current(settings) is not None
    return partial(_spark_columns, settings) if is_up else None


def _spark_columns(settings: Settings, relation: str) -> Columns:
    try:
        rows = run_query(settings, f"describe table {relation}")
    except PenstockError:  # The table doesn't exist, or the server doesn't answer.
        return {}
    columns: Columns = {}
    for name, type_, *_ in rows:
        if not name or str(name).startswith("#"):
            break
        columns[str(name)] = str(type_)
    return columns
