"""The command line: `penstock …`. Each group of commands lives beside what it commands."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from penstock.config import profiles
from penstock.errors import PenstockError

app = typer.Typer(
    help="Batch SQL and Python on a Spark you run yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


# The modules that register commands, in the order of the help, each with its commands.
GROUPS = {
    "penstock.cli.lake": ("land", "remove", "sample", "clean", "lake"),
    "penstock.cli.server": ("up", "down", "status", "doctor"),
    "penstock.workflows.quickstart": ("quickstart", "summary"),
    "penstock.cli.intervals": ("backfill", "batches"),
    "penstock.cli.explain": ("explain",),
    "penstock.cli.report": ("report",),
    "penstock.cli.cluster": ("cluster",),
}


def register(words: list[str]) -> None:
    """Add commands to the program: of the group that a command line names, else all. Importing all takes seconds."""
    start = 0
    if words and words[0].startswith(("-t", "--target")):
        start = 1 if "=" in words[0] else 2
    command = words[start] if len(words) > start else ""
    named = [module for module, commands in GROUPS.items() if command in commands]
    for module in named or GROUPS:
        importlib.import_module(module).register(app)


@app.callback()
def choose(
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="A target of profiles.yml, before or after the command.")
    ] = None,
) -> None:
    """Whatever reads the settings, in this process and in those it starts, reads them for that target."""
    if target:
        os.environ[profiles.VARIABLE] = target


def target_first(words: list[str]) -> list[str]:
    """A command line with its target in front, where the program itself takes it, not the command."""
    for place, word in enumerate(words):
        if word in ("--target", "-t") and place + 1 < len(words):
            return [*words[place : place + 2], *words[:place], *words[place + 2 :]]
        if word.startswith("--target="):
            return [word, *words[:place], *words[place + 1 :]]
    return words


def main() -> None:
    """Run the program; a user's mistake ends with one clear line and exit code 1."""
    try:
        words = target_first(sys.argv[1:])
        register(words)
        app(words)
    except PenstockError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"[red]penstock:[/red] needed: {error.needed}", soft_wrap=True)
        console.print(f"  found: {error.found}", soft_wrap=True, markup=False)
        console.print(f"  do:    {error.do}", soft_wrap=True, markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        print("penstock: interrupted; what had landed stays landed", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
