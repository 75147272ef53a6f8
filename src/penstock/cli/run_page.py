"""The command `penstock report run`."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

import typer
from rich.console import Console

from penstock.config import dbt_credentials
from penstock.config.profiles import target_folder
from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.report import column_lineage
from penstock.report.run_page import html, ledger_facts, page_data, project_files, run_files
from penstock.report.run_page.ledger_facts import LedgerFacts
from penstock.report.run_page.live_server import LiveServer
from penstock.report.run_page.page_data import ColumnLineage, Extras
from penstock.report.warehouse_query import run_query
from penstock.spark.server import control

# The model with one row for each quality rule and month, if the project has it.
RULES_MODEL = "quality_report"


def run(
    run_id: str | None = typer.Option(
        None, "--run", help="Id of a dbt command, or its first characters. Default: the newest."
    ),
    out: Path | None = typer.Option(None, "--out", help="The file to write. Default: target/runs/RUN/index.html."),
    live: bool = typer.Option(
        False, "--live", help="Serve the page, and update it while dbt runs. To end, press Ctrl-C."
    ),
    ledger: bool | None = typer.Option(
        None, "--ledger/--no-ledger", help="Read the run ledger. Default: only if the server is already running."
    ),
) -> None:
    """Write an HTML page about a dbt command: its timeline, each node's figures and plan, and what changed."""
    settings = load()
    target = target_folder(settings.root)
    record = run_files.find(target, run_id)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    with errors.status("reading the run ledger"):
        facts = _ledger_facts(settings, target, ledger)
    with errors.status("reading the project"):
        extras = Extras(facts, _column_lineage(settings, errors))
    if live:
        _serve(console, settings, target, run_id, extras)
        return
    with errors.status("writing the page"):
        text = html.page(page_data.collect(settings, target, record, extras))
        path = run_files.write(target, record.run_id, text, settings.root / out if out else None)
    result, seconds = page_data.result(record), page_data.seconds(record)
    console.print(f"{record.arguments}: {result}, {seconds:.1f} s", markup=False, soft_wrap=True)
    console.print(f"written: {path}", markup=False, soft_wrap=True)


def _serve(console: Console, settings: Settings, target: Path, run_id: str | None, extras: Extras) -> None:
    """Serve the page of a command until Ctrl-C. Without a run id, each request gets the page of the newest command."""

    def collect() -> dict[str, object]:
        return page_data.collect(settings, target, run_files.find(target, run_id), extras)

    html.page(collect(), live=True)  # If the page can't be rendered, fail now and not at the first request.
    server = LiveServer(lambda: html.page(collect(), live=True), lambda: html.to_script_json(collect()))
    console.print(f"open {server.address} (Ctrl-C ends it)", markup=False, soft_wrap=True)
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


def _column_lineage(settings: Settings, errors: Console) -> ColumnLineage:
    """Return the lineage of the project's columns, or none if dbt can't compile the project now."""
    try:
        return column_lineage.load(settings).graph.as_dict()
    except PenstockError as error:
        errors.print(f"the page has no column lineage: {error.found}", markup=False, soft_wrap=True)
        return {}


def _ledger_facts(settings: Settings, target: Path, wanted: bool | None) -> LedgerFacts | None:
    """Return the page's facts from the run ledger, or None if the page omits them.

    Raises:
        PenstockError: the option `--ledger` was given, but the ledger cannot be read.
    """
    is_up = not control.is_remote(settings) and control.current(settings) is not None
    if wanted is False or (wanted is None and not is_up):
        return None
    try:
        # Importing the adapter's package takes a second, so import it only for a page with the ledger.
        from dbt.adapters.penstock.interval_models.sources import IntervalSources

        schema = dbt_credentials.target_schema(settings.root, settings.target)
        rules = project_files.read(target).relation_of(RULES_MODEL)
        return ledger_facts.read(partial(run_query, settings), schema, IntervalSources(lambda: settings), rules)
    except PenstockError as error:
        if wanted:
            raise
        return LedgerFacts(notes=(f"the run ledger could not be read: {error.found}",))
