"""The command line: `penstock …`. Each group of commands lives beside what it commands."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from penstock import profiles
from penstock.errors import PenstockError

app = typer.Typer(
    help="Batch SQL and Python on a Spark you run yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _register() -> None:
    """Add every group's commands to the one program."""
    from penstock import quickstart
    from penstock.batches import commands as batches
    from penstock.cluster import commands as cluster
    from penstock.explain import commands as explain
    from penstock.lake import commands as lake
    from penstock.ml.report import commands as report
    from penstock.server import commands as server

    lake.register(app)
    server.register(app)
    quickstart.register(app)
    batches.register(app)
    explain.register(app)
    report.register(app)
    cluster.register(app)


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
        _register()
        app(target_first(sys.argv[1:]))
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
