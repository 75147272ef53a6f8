"""Tests of tools/quality_docs.py: docs/reference/quality-rules.md and the docs block of dbt list the rules."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.project_macros import macros

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """Return tools/quality_docs.py, which adds folders to the path."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "tools"))
    import quality_docs

    yield quality_docs
    sys.path[:] = before


def test_both_files_are_what_the_list_says(tool: ModuleType) -> None:
    for path, text in tool.render().items():
        assert path.read_text() == text, f"{path.relative_to(ROOT)} is out of date: run `make docs-quality`"


def test_every_rule_is_a_row_of_both_tables(tool: ModuleType) -> None:
    names = [f"| `{rule['name']}` |" for rule in macros()("quality_rules()")]
    for path in (tool.PAGE, tool.BLOCK):
        lines = path.read_text().splitlines()
        assert [line for line in lines if line.startswith("| `")] and all(
            sum(line.startswith(name) for line in lines) == 1 for name in names
        )


def test_the_example_is_a_rule_that_the_list_would_take() -> None:
    page = ROOT / "docs" / "how-to" / "quality.md"
    example = re.search(r"```jinja\n(.*?)```", page.read_text(), re.DOTALL)
    assert example
    entry = example[1].replace("'services': all", "'services': quality_services()")
    assert macros()(f"valid_rules([{entry}])")[0]["services"] == ["green", "yellow", "fhvhv"]


def test_a_row_shows_limits_as_percent_and_keeps_its_cells(tool: ModuleType) -> None:
    rule = {
        "name": "far",
        "condition": "a || b > 'c'",
        "severity": "warn",
        "services": ["green", "yellow"],
        "description": "It is far.",
        "error_above": {"green": 0.005, "yellow": 0.5},
    }
    assert tool.table([rule]).splitlines()[-1] == (
        "| `far` | flagged | green, yellow | It is far. | `a \\|\\| b > 'c'` |  | green 0.5 %, yellow 50 % |"
    )
