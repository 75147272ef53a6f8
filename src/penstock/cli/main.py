"""The program `penstock`. It imports only the module of the command that the user typed."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from penstock import __version__
from penstock.config import profiles
from penstock.errors import PenstockError, help_command

app = typer.Typer(
    help="SQL and Python models on a Spark that you operate yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


# The commands of each module, in the order in which `penstock --help` lists them.
GROUPS = {
    "penstock.cli.init": ("init",),
    "penstock.cli.lake": ("land", "remove", "sample", "clean", "lake"),
    "penstock.cli.server": ("up", "down", "status", "doctor"),
    "penstock.cli.quickstart": ("quickstart", "summary"),
    "penstock.cli.intervals": ("backfill", "batches"),
    "penstock.cli.explain": ("explain",),
    "penstock.cli.lineage": ("lineage",),
    "penstock.cli.preview": ("preview",),
    "penstock.cli.diff": ("diff",),
    "penstock.cli.report": ("report",),
    "penstock.cli.artifacts": ("artifacts",),
    "penstock.cli.cluster": ("cluster",),
    "penstock.cli.help": ("help",),
}


def register(arguments: list[str]) -> None:
    """Add to the program the commands that the arguments need.

    If the arguments name a known command, import only the module of that command, because importing all modules takes
    seconds. Otherwise, import all modules.
    """
    start = 0
    if arguments and arguments[0].startswith(("-t", "--target")):
        start = 1 if "=" in arguments[0] else 2
    command = arguments[start] if len(arguments) > start else ""
    modules = [module for module, commands in GROUPS.items() if command in commands]
    for module in modules or GROUPS:
        importlib.import_module(module).register(app)


def print_version(wanted: bool) -> None:
    """If the option `--version` was given, print penstock's version and exit."""
    if wanted:
        print(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def set_target(
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", help="A target of profiles.yml. Write it before or after the command."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print penstock's version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Set the target in the environment, so that this process and its child processes load its settings."""
    if target:
        os.environ[profiles.TARGET_VARIABLE] = target


def target_first(arguments: list[str]) -> list[str]:
    """Return the arguments with `--target` in front, because the program has this option and its commands don't."""
    for position, argument in enumerate(arguments):
        if argument in ("--target", "-t") and position + 1 < len(arguments):
            return [*arguments[position : position + 2], *arguments[:position], *arguments[position + 2 :]]
        if argument.startswith("--target="):
            return [argument, *arguments[:position], *arguments[position + 1 :]]
    return arguments


def main() -> None:
    """Run the program. If it raises a PenstockError, print the parts of the error and exit with its code."""
    try:
        arguments = target_first(sys.argv[1:])
        register(arguments)
        app(arguments)
    except PenstockError as error:
        console = Console(stderr=True, highlight=False)
        console.print(f"[red]penstock:[/red] needed: {error.needed}", soft_wrap=True)
        console.print(f"  found: {error.found}", soft_wrap=True, markup=False)
        console.print(f"  do:    {error.do}", soft_wrap=True, markup=False)
        if error.entry:
            console.print(f"  more:  {help_command(error.entry)}", soft_wrap=True, markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("penstock: interrupted; landed months stay landed", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
