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

from penstock import profiles, summary
from penstock.errors import PenstockError
from penstock.server import control
from penstock.settings import Settings, load

# Of models that learn, or that take a driver of their own: minutes, not the first one.
LEARNING = "ml"


def _start(settings: Settings, failures: list[PenstockError]) -> None:
    """Start the server on a thread; keep what went wrong for the main one."""
    try:
        control.up(settings)
    except PenstockError as error:
        failures.append(error)


def program(settings: Settings, name: str, *arguments: str) -> int:
    """Run a program of this environment in the project's folder; its exit code."""
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([str(folder / name), *arguments], cwd=settings.root, env=environment).returncode


def run() -> None:
    """Make the sample lake, start the server, build and test the warehouse, show what came out."""
    settings = load()
    control.refuse_remote(settings)
    begin = time.monotonic()
    failures: list[PenstockError] = []
    starting = threading.Thread(target=_start, args=(settings, failures))
    starting.start()
    if sampled := program(settings, "penstock", "sample", "--if-empty"):
        raise typer.Exit(sampled)
    if failures:
        raise failures[0]
    # dbt reads the project while the server goes on starting, and waits for it by itself.
    results = settings.root / summary.target_folder() / "run_results.json"
    results.unlink(missing_ok=True)  # what an earlier build left must not pass for this one's
    code = program(settings, "dbt", "build", "--exclude", f"tag:{LEARNING}", *profiles.chosen())
    starting.join()
    if failures:
        raise failures[0]
    if results.exists():
        summary.show(settings, time.monotonic() - begin)
    if code:
        raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="quickstart")(run)
    app.command(name="summary")(lambda: summary.show(load(), None))
