"""The command group `penstock report`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import typer
from rich.console import Console

from penstock.cli import run_page
from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.report import ml_page, ml_queries
from penstock.report.warehouse_query import run_query

TABLES = {
    *ml_queries.MODELS,
    *("model_registry", "trip_predictions", "prediction_drift", "zone_clusters", "zone_rank"),
}


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(help="Write reports as HTML pages.", no_args_is_help=True)
    group.command(name="ml")(ml)
    group.command(name="run")(run_page.run)
    app.add_typer(group, name="report")


def ml(
    out: Path = typer.Option(Path("target/ml.html"), "--out", help="The file to write."),
) -> None:
    """Write an HTML page about the trained models, their errors, and the drift of their features."""
    settings = load()
    query = partial(run_query, settings)
    tables = {str(row[1]) for row in query("show tables in warehouse")}
    if missing := sorted(TABLES - tables):
        raise PenstockError("the machine learning models", f"not built: {', '.join(missing)}", "type `make ml`")
    versions = ml_queries.versions(query)
    live = {item.model: item for item in sorted(versions, key=lambda item: item.number) if item.live}
    if not live:
        raise PenstockError(
            "a live version", "none, see warehouse.model_registry", "land three months or more, then `make ml`"
        )
    errors = {name: ml_queries.errors(query, item) for name, item in live.items()}
    text = ml_page.page(
        versions, live, errors, ml_queries.zones(query), ml_queries.hourly_shares(query), ml_queries.drift(query)
    )
    path = out if out.is_absolute() else settings.root / out
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    console = Console(highlight=False)
    for item in live.values():
        console.print(
            f"{item.model} {item.number}: MAE {item.mae:.3f}, {item.mae_ratio:.3f} of the baseline's; "
            f"RMSE {item.rmse:.3f}, {item.rmse_ratio:.3f}"
        )
    console.print(f"written: {path}", soft_wrap=True)
