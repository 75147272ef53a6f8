"""The command `penstock help`."""

from __future__ import annotations

import typer
from rich.console import Console

from penstock import troubleshooting
from penstock.cli import main
from penstock.errors import PenstockError
from penstock.troubleshooting import Entry

WIDEST = 100
USAGE = (
    "`penstock help ENTRY` prints an entry. ENTRY is a name above, some words, or a message in quotation marks.\n"
    "`penstock COMMAND --help` explains a command."
)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    # An error message may contain words that look like options. With this setting, they are words of the message.
    app.command(name="help", context_settings={"ignore_unknown_options": True})(show_help)


def show_help(
    entry: list[str] | None = typer.Argument(None, help="Name of an entry, some words, or an error message."),
) -> None:
    """Print the cause and the remedy of an error message, from the troubleshooting page of the documentation.

    Without ENTRY, the command lists all entries. It needs no network.
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    query = " ".join(entry or [])
    if any(query in commands for commands in main.GROUPS.values()):
        console.print(f"`penstock {query} --help` explains this command.")
        return
    found = troubleshooting.find(query) if query else list(troubleshooting.entries())
    if not found:
        raise PenstockError("an entry of the troubleshooting page", f"`{query}`", _advice(query))
    if len(found) == 1:
        console.print(troubleshooting.as_plain_text(found[0], min(console.width, WIDEST)))
    else:
        console.print(f"{_listing(found)}\n\n{USAGE}")


def _listing(found: list[Entry]) -> str:
    """Return the names of entries below the headings of their sections."""
    sections: dict[str, list[str]] = {}
    for entry in found:
        sections.setdefault(entry.section, []).append(f"  {', '.join(entry.names)}")
    return "\n\n".join("\n".join([section, *names]) for section, names in sections.items())


def _advice(query: str) -> str:
    """Return what to type instead of a query that matches no entry."""
    names = troubleshooting.similar(query)
    meant = f"did you mean {' or '.join(f'`{name}`' for name in names)}? " if names else ""
    return f"{meant}Type `penstock help` for all entries, or fewer words"
