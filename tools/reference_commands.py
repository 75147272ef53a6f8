"""Describe the commands of `penstock` as Markdown, from their own help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from penstock.cli import main

HELP = "--help"


def tree() -> Iterator[tuple[str, Any]]:
    """Yield each command with its full name, `penstock` first."""
    main.register([])
    yield from _below("penstock", typer.main.get_command(main.app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for part, child in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {part}", child)


def is_argument(parameter: Any) -> bool:
    """Return whether a parameter is an argument and not an option."""
    return bool(parameter.param_type_name == "argument")


def parameters(command: Any) -> list[Any]:
    """Return the parameters of a command, without `--help`."""
    return [parameter for parameter in command.params if HELP not in parameter.opts]


def usage(name: str, command: Any) -> str:
    """Return a command with its arguments: `penstock land DATASET [MONTHS]...`."""
    words = [name]
    if any(not is_argument(parameter) for parameter in parameters(command)):
        words.append("[OPTIONS]")
    for parameter in parameters(command):
        if is_argument(parameter):
            word = parameter.name.upper()
            word = word if parameter.required else f"[{word}]"
            words.append(f"{word}..." if parameter.nargs == -1 else word)
    return " ".join([*words, *(["COMMAND"] if getattr(command, "commands", None) else [])])


def default(parameter: Any) -> str:
    """Return the default of an option as text; empty if it has none or is a switch that is off."""
    value = parameter.default
    if value in (None, False) or callable(value) or parameter.required:
        return ""
    return f"`{value}`" if not isinstance(value, (list, tuple)) or value else ""


def plain(text: str) -> str:
    """Return help text as one paragraph for each of its paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def commands() -> list[str]:
    """Return the lines that describe all commands."""
    lines: list[str] = []
    for name, command in tree():
        lines += [f"## {name}", "", "```", usage(name, command), "```", "", plain(command.help or ""), ""]
        if shown := parameters(command):
            lines += ["| | default | meaning |", "|---|---|---|"]
            lines += [f"| {_name(item)} | {default(item)} | {_cell(item)} |" for item in shown]
            lines.append("")
    return lines


def _name(parameter: Any) -> str:
    names = [parameter.name.upper()] if is_argument(parameter) else [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{name}`" for name in names)


def _cell(parameter: Any) -> str:
    return " ".join((parameter.help or "").split()).replace("|", "\\|")
