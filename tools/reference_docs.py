"""Write the generated pages of docs/reference: the command line, the macros and the generic tests.

usage: make docs-reference    (or tools/reference_docs.py)

The text comes from the code: the help of each command, the descriptions in macros/*/_*.yml, and the signatures in the
SQL files. A unit test fails if a page is stale, or if something has no description or no example.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from reference_commands import commands  # noqa: E402

PAGES = ROOT / "docs" / "reference"
BLOCK = re.compile(r"(<!-- made by tools/reference_docs.py: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
DEFINITION = re.compile(r"\{%-? (?P<kind>macro|test) (?P<name>\w+)\((?P<arguments>.*?)\) -?%\}")
# The folders that the wheel brings into every project, by the block that describes them.
FOLDERS = {
    "hints": "macros/joins",
    "layout": "macros/layout",
    "maintenance": "macros/maintenance",
    "plan_tests": "tests/data/generic/plans_and_files",
    "column_tests": "tests/data/generic/columns",
}
# An internal macro: other macros call it, projects don't.
INTERNAL = "penstock__"


def descriptions() -> dict[str, dict[str, Any]]:
    """Return the entries of all macros in the yml files, by name. A test's name begins with `test_`."""
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted((ROOT / "macros").glob("*/_*.yml")):
        entries |= {entry["name"]: entry for entry in yaml.safe_load(path.read_text())["macros"]}
    return entries


def definitions(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and signature of each public macro or test in a folder."""
    for path in sorted((ROOT / folder).glob("*.sql")):
        text = path.read_text()
        for found in DEFINITION.finditer(text):
            if found["name"].startswith(INTERNAL):
                continue
            arguments = [argument.strip() for argument in found["arguments"].split(",") if argument.strip()]
            if found["kind"] == "test":
                arguments = arguments[1:]  # the model that the test is written at
            if "varargs" in text:
                arguments.append("…")
            yield found["kind"], found["name"], f"{found['name']}({', '.join(arguments)})"


def entry_of(kind: str, name: str, entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the yml entry of a macro or test; empty if it has none."""
    return entries.get(f"test_{name}" if kind == "test" else name, {})


def plain(text: str) -> str:
    """Return a description on one line. In yml, dbt renders it: `{{ "{{ x }}" }}` is shown as `{{ x }}`."""
    return re.sub(r'\{\{ "(.*?)" \}\}', r"\1", " ".join(text.split()))


def section(kind: str, name: str, signature: str, entry: dict[str, Any]) -> list[str]:
    """Return the lines that describe a macro or test."""
    lines = [f"### {name}", "", f"`{signature}`", "", plain(entry.get("description", ""))]
    if arguments := entry.get("arguments"):
        lines += ["", "| argument | type | meaning |", "|---|---|---|"]
        lines += [f"| `{item['name']}` | {item['type']} | {plain(item['description'])} |" for item in arguments]
    return [*lines, ""]


def macros(folder: str) -> list[str]:
    """Return the lines that describe the public macros or tests of a folder."""
    entries = descriptions()
    lines: list[str] = []
    for kind, name, signature in definitions(folder):
        lines += section(kind, name, signature, entry_of(kind, name, entries))
    return lines


def blocks() -> dict[str, list[str]]:
    """Return the lines of each generated block, by name."""
    return {**{name: macros(folder) for name, folder in FOLDERS.items()}, "commands": commands()}


def render() -> dict[Path, str]:
    """Return the new text of each page."""
    texts = blocks()

    def fill(match: re.Match[str]) -> str:
        return match[1] + "\n".join(texts[match["name"]]).rstrip() + "\n" + match[3]

    return {path: BLOCK.sub(fill, path.read_text()) for path in (PAGES / "command-line.md", PAGES / "macros.md")}


if __name__ == "__main__":
    for path, text in render().items():
        path.write_text(text)
