"""Tests of tools/prose_lint.py: what it reports, and what isn't prose."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """The tool."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import prose_lint

    yield prose_lint
    sys.path[:] = before


def test_a_word_of_the_dialect_is_reported_with_its_place(tool: ModuleType) -> None:
    text = "# Title\n\nThe table is built anew, in a folder of its\nown.\n"
    found = list(tool.dialect("page.md", text))
    assert [message.partition("`;")[0] for message in found] == ["page.md:3:20: `anew", "page.md:3:38: `of its own"]


def test_code_headings_and_tables_are_no_prose(tool: ModuleType) -> None:
    text = "# Anew\n\n```\nanew\n```\n| anew |\n<!-- anew -->\n`anew` and [a page](anew.md)\n"
    assert list(tool.dialect("page.md", text)) == []
    assert len(tool.prose(text).splitlines()) == len(text.splitlines())
    assert "xxxxxx and [a page]" in tool.prose(text)


def test_proselint_reports_sentences_and_no_code(tool: ModuleType) -> None:
    found = tool.proselint({"docs/page.md": "It is very unique.\n\n```\nvery unique\n```\n"})
    assert found and all(message.startswith("docs/page.md:1:") for message in found)
    assert tool.proselint({"docs/page.md": "It starts Spark.\n"}) == []


def test_the_documentation_has_no_such_word(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main([]) == 0, capsys.readouterr().out
