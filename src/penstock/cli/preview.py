"""The command `penstock preview`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.preview import page, terminal
from penstock.preview.builder import build_preview
from penstock.preview.content import Kind, Preview
from penstock.preview.selection import Selection

KINDS = ", ".join(kind.value for kind in Kind)
# A file or pipe has no width. With this width, most lines need no wrapping.
PIPE_WIDTH = 120
# The options that accept several values after their name, as in dbt.
WITH_SEVERAL_VALUES = ("--select", "-s", "--exclude", "--fail-on")


class SeveralValues(TyperCommand):
    """A command whose options may have several values, as in `--select a b`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat an option's name before each of its values, and then parse the arguments."""
        expanded: list[str] = []
        option = ""
        for argument in args:
            if argument.startswith("-"):
                option = argument if argument in WITH_SEVERAL_VALUES else ""
            elif option and expanded[-1] != option:
                expanded.append(option)
            expanded.append(argument)
        return super().parse_args(ctx, expanded)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(name="preview", cls=SeveralValues)(preview)


def preview(
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", help="Preview only these nodes. The syntax is dbt's.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Leave out these nodes. The syntax is dbt's.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Compare the code with manifest.json in this folder, not with the last run."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the preview as JSON.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Also write an HTML page to this file.")] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            help=f"Exit with 1 if a change of this kind occurs. Kinds: {', '.join(kind.value for kind in Kind)}.",
        ),
    ] = None,
) -> None:
    """Show what the next run would do, without running it.

    For each model, the preview shows whether its code is new or changed, which of its intervals are stale and why, and
    whether the run would rebuild its whole table. It also shows the expected rows, bytes and seconds, and how the
    model's physical plan would differ.
    """
    alarms = [_kind(name) for name in fail_on or ()]
    settings = load()
    errors = Console(stderr=True, highlight=False)
    selection = Selection(tuple(select or ()), tuple(exclude or ()), state)
    with errors.status("reading the project") as status:
        content = build_preview(settings, selection, status.update)
    if as_json:
        sys.stdout.write(json.dumps(content.to_json(), indent=1, default=str) + "\n")
    elif sys.stdout.isatty():
        terminal.show(Console(highlight=False), content)
    else:
        sys.stdout.write(terminal.text(content, PIPE_WIDTH))
    if html:
        _write(html, page.html(content))
        errors.print(f"wrote {html}", markup=False, soft_wrap=True)
    if occurring := [kind for kind in Kind if kind in alarms and kind in content.kinds]:
        errors.print(_alarm(content, occurring), markup=False, soft_wrap=True)
        raise typer.Exit(1)


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise PenstockError("a kind of change for --fail-on", f"`{name}`", f"name one of {KINDS}") from None


def _alarm(content: Preview, occurring: list[Kind]) -> str:
    listed = "; ".join(f"{kind.value}: {', '.join(content.names(kind))}" for kind in occurring)
    return f"penstock: --fail-on found {listed}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise PenstockError(f"a file to write, {path}", str(error.strerror), "name another file") from None
