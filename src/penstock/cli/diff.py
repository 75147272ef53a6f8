"""The command `penstock diff`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from penstock.config.profiles import target_folder
from penstock.config.settings import load
from penstock.diff import keys as key_columns
from penstock.diff import markdown, results, targets, terminal
from penstock.diff.comparison import Comparison, compare_all
from penstock.diff.dbt_tables import Selection, read_tables
from penstock.diff.plan_differences import add_plan_changes
from penstock.diff.request import DEFAULT_LIMIT, Baseline, Bounds
from penstock.diff.results import Diff
from penstock.errors import PenstockError
from penstock.report.warehouse_query import open_session
from penstock.spark.server import control

# Exit codes. They are those of the program `diff`: 1 if the compared tables differ, and 2 after an error.
DIFFERS, TROUBLE = 1, 2


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(diff)


def diff(
    against: Annotated[
        str,
        typer.Option(
            help="A target of profiles.yml, or a Delta version, for example version:12. version:-1 is the last but one."
        ),
    ],
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Nodes to compare. The syntax is dbt's.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Nodes to leave out. The syntax is dbt's.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Folder of the artifacts that state:modified compares with.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="A column that identifies a row. Repeat the option for several.")
    ] = None,
    sample: Annotated[float, typer.Option(help="Share of the rows to compare. The key decides which rows.")] = 1.0,
    limit: Annotated[int, typer.Option(help="Largest number of examples of each kind of difference.")] = DEFAULT_LIMIT,
    full: Annotated[
        bool, typer.Option("--full", help="Also compare intervals whose inputs and code are the same.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the result as Markdown, for a pull request.")
    ] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 even if tables differ.")] = False,
) -> None:
    """Compare built tables with those of another target, or with an earlier version of themselves.

    The exit code is 0 if all compared tables are equal, 1 if rows or columns differ, and 2 after an error.
    """
    try:
        if as_json and as_markdown:
            raise PenstockError("one of --json and --markdown", "both", "leave one out")
        bounds = Bounds(sample, limit, full)
        selection = Selection(_words(select), _words(exclude), state)
        outcome = _compare(Baseline.parse(against), selection, key_columns.requested(key or []), bounds)
    except PenstockError as error:
        error.exit_code = TROUBLE
        raise
    if as_json:
        sys.stdout.write(json.dumps(results.to_json(outcome), indent=1) + "\n")
    elif as_markdown:
        sys.stdout.write(markdown.text(outcome))
    else:
        terminal.show(Console(highlight=False), outcome)
    if outcome.differs and not exit_zero:
        raise typer.Exit(DIFFERS)


def _words(values: list[str] | None) -> tuple[str, ...]:
    """Return the words of an option, which may be repeated or have several words, as in `--select "a b"`."""
    return tuple(word for value in values or () for word in value.split())


def _compare(baseline: Baseline, selection: Selection, key: key_columns.Key, bounds: Bounds) -> Diff:
    settings = load()
    if baseline.target:
        targets.require_readable(settings, baseline.target)
    status = Console(stderr=True, highlight=False).status
    with status("reading the project"):
        named = (settings.target, *([baseline.target] if baseline.target else []))
        tables = read_tables(settings, named, selection)
    with status("connecting to Spark") as progress:
        if not control.is_remote(settings):
            control.up(settings, progress.update)
        with open_session(settings) as run_query:
            comparison = Comparison(run_query, settings.target, baseline.target, baseline.version, key, bounds)
            found = compare_all(comparison, tables, progress.update)
    if baseline.target:
        found = add_plan_changes(target_folder(settings.root), tables, found, (baseline.target, settings.target))
    before = f"target {baseline.target}" if baseline.target else f"version {baseline.version}"
    return Diff(before, f"target {settings.target}", found, bounds.sample)
