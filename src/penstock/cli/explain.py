"""The command `penstock explain MODEL`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.explain import dbt_model, picture, terminal
from penstock.explain.explanation import Explanation
from penstock.explain.model_explanation import explain_model

# The fields of Explanation that `--json` omits: the tree of operators and its metrics.
NOT_IN_JSON = ("plan", "metrics")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="explain")(explain)


def explain(
    model: str = typer.Argument(help="A model's name."),
    live: bool = typer.Option(False, "--live", help="Explain the current code, even if the model has run."),
    html: Path | None = typer.Option(None, help="Write an HTML page with the picture and the text to this file."),
    svg: Path | None = typer.Option(None, help="Write only the picture to this file."),
    plan: bool = typer.Option(False, "--plan", help="Print Spark's own plan (EXPLAIN FORMATTED), not the explanation."),
    as_json: bool = typer.Option(False, "--json", help="Print the explanation as JSON."),
) -> None:
    """Explain how Spark runs a model: its joins and why Spark chose them, exchanges, scans, stages and written files.

    If the model has run, the command explains the plan of its last run, with metrics. For a view, or a model
    that has not run, it explains the initial plan of the current code.
    """
    errors = Console(stderr=True, highlight=False)
    settings = load()
    with errors.status("reading the project"):
        found = dbt_model.find_model(settings, model)
    with errors.status("asking Spark"):
        explanation, captured = explain_model(settings, found, live)
    if plan:
        text = captured.executed.plan if captured.executed else captured.explained
        sys.stdout.write(text.rstrip() + "\n")
    elif as_json:
        sys.stdout.write(json.dumps(_json_values(explanation), indent=1, default=str) + "\n")
    else:
        terminal.show(Console(highlight=False), explanation)
    if svg:
        _write(svg, picture.svg(explanation))
    if html:
        _write(html, picture.html(explanation, terminal.text(explanation)))
    for path in filter(None, (svg, html)):
        errors.print(f"wrote {path}", markup=False, soft_wrap=True)


def _json_values(explanation: Explanation) -> dict[str, Any]:
    return {name: value for name, value in asdict(explanation).items() if name not in NOT_IN_JSON}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise PenstockError(f"a file to write, {path}", str(error.strerror), "name another file") from None
