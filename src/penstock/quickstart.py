"""`penstock quickstart`, behind `make run`: sample lake, server, `dbt build`, summary.

The server starts while the sample is made. A lake that already holds months is left as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import typer
from rich.console import Console

from penstock import summary
from penstock.errors import PenstockError
from penstock.lake import sample
from penstock.server import control
from penstock.settings import Settings, load

console = Console(highlight=False)


def _start(settings: Settings, failures: list[PenstockError]) -> None:
    """Start the server on a thread; keep what went wrong for the main one."""
    try:
        control.up(settings)
    except PenstockError as error:
        failures.append(error)


def dbt(settings: Settings, *arguments: str) -> int:
    """Run dbt in the project's folder with this environment's programs first on PATH."""
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([str(folder / "dbt"), *arguments], cwd=settings.root, env=environment).returncode


def run() -> None:
    """Make the sample lake, start the server, build and test the warehouse, show what came out."""
    settings = load()
    begin = time.monotonic()
    failures: list[PenstockError] = []
    starting = threading.Thread(target=_start, args=(settings, failures))
    starting.start()
    try:
        sample.ensure(settings)
    finally:
        with console.status("starting the Spark server"):
            starting.join()
    if failures:
        raise failures[0]
    code = dbt(settings, "build")
    summary.show(settings, time.monotonic() - begin)
    if code:
        raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="quickstart")(run)
    app.command(name="summary")(lambda: summary.show(load(), None))
