"""Tests of tools/reference_docs.py: everything that users call is described, and the pages are up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tools() -> Iterator[tuple[ModuleType, ModuleType]]:
    """The tool, and its part for commands."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import reference_commands
    import reference_docs

    yield reference_docs, reference_commands
    sys.path[:] = before


def test_each_command_and_option_is_described(tools: tuple[ModuleType, ModuleType]) -> None:
    found = dict(tools[1].tree())
    assert {"penstock land", "penstock cluster up", "penstock report ml"} <= set(found)
    for name, command in found.items():
        assert command.help, f"{name} has no help"
        for parameter in tools[1].parameters(command):
            assert parameter.help, f"{name} {parameter.name} has no help"


def test_each_macro_and_test_is_described_with_an_example(tools: tuple[ModuleType, ModuleType]) -> None:
    entries = tools[0].descriptions()
    names = set()
    for folder in tools[0].FOLDERS.values():
        for kind, name, signature in tools[0].definitions(folder):
            names.add(name)
            entry = tools[0].entry_of(kind, name, entries)
            text = tools[0].plain(entry.get("description", ""))
            assert re.search(rf"`(?!{name}`)[^`]*\b{name}\b[^`]*`", text), f"{name}: no example in its description"
            described = {item["name"] for item in entry.get("arguments", [])}
            declared = set(re.findall(r"(\w+)(?:=[^,)]+)?[,)]", signature.partition("(")[2]))
            assert described == declared, f"{name}: its arguments and the described ones differ"
    assert {"broadcast", "layout", "vacuum", "plan_broadcasts", "unique_combination"} <= names


def test_the_pages_are_up_to_date(tools: tuple[ModuleType, ModuleType]) -> None:
    """If this fails, run `make docs-reference`."""
    for path, text in tools[0].render().items():
        assert path.read_text() == text, path.name


def test_each_block_is_in_a_page(tools: tuple[ModuleType, ModuleType]) -> None:
    pages = "".join(path.read_text() for path in tools[0].render())
    assert {match["name"] for match in tools[0].BLOCK.finditer(pages)} == set(tools[0].blocks())


def test_a_default_is_shown(tools: tuple[ModuleType, ModuleType]) -> None:
    text = "\n".join(tools[1].commands())
    assert "penstock land [OPTIONS] DATASET [MONTHS]..." in text
    assert re.search(r"^\| `--workers` \| `\d+` \| .+ \|$", text, re.MULTILINE)
