"""The command `penstock artifacts`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from penstock import artifacts
from penstock.config.profiles import target_folder
from penstock.config.settings import load

DEFAULT_TYPE = "spark"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="artifacts")(copy_artifacts)


def copy_artifacts(
    adapter_type: str | None = typer.Option(
        None, help="spark or databricks. Default: the type in penstock.yml if it has one, else spark."
    ),
    target_path: Path | None = typer.Option(None, help="dbt's target folder. Default: the folder that dbt uses."),
    output: Path | None = typer.Option(
        None, help="Folder of the copies. Default: a folder in the target folder, named after the adapter type."
    ),
) -> None:
    """Copy dbt's artifacts for tools that don't know the adapter type penstock."""
    settings = load()
    chosen = adapter_type or settings.artifacts.adapter_type or DEFAULT_TYPE
    folder = target_path or target_folder(settings.root)
    copies = artifacts.convert(folder, output or folder / chosen, chosen)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for path in copies:
        console.print(f"wrote {path}")
