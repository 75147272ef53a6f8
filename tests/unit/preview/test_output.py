"""What a user sees of a preview: the terminal, the page, and JSON."""

from __future__ import annotations

import json

import pytest

from penstock.explain.plan_changes import PlanChange
from penstock.preview import page, terminal
from penstock.preview.content import Code, Kind
from tests.unit.preview.previews import node, preview


def text(width: int) -> str:
    return terminal.text(preview(), width)


def test_the_terminal_lists_nodes_and_their_details() -> None:
    lines = [" ".join(line.split()) for line in text(160).splitlines()]
    assert "preview of shop, target dev, compared with the last run" in lines
    assert (
        "the next run would work on 3 of 4 nodes: 1 new, 1 changed, 1 rebuilt whole, 1 with another join, "
        "1 with less pruning, 1 with stale intervals"
    ) in lines
    assert "facts changed 4 intervals 1,234 4.0 KiB 3.2" in lines
    assert "together 1,234 4.0 KiB 4.2" in lines
    assert "stale 2023-11..2024-01, 2024-03: lake.green changed" in lines
    assert "join join of `t` (w.t) and `z` (w.z): sort-merge join → broadcast hash join" in lines
    assert (
        "expected 1,234 rows (1,000 to 2,000) from 5 runs; 4.0 KiB from 1 run; 3.2 s (2.0 to 5.0) from 5 runs" in lines
    )
    assert "rebuild a table model is written whole in each run" in lines
    assert "upstream reads changed facts" in lines
    assert "inputs w.facts" in lines
    assert "note plan unknown until it runs" in lines
    assert "expected no history" in lines
    assert "1 unchanged, nothing to do" in lines
    assert "not selected, but downstream of a changed model: later" in lines


def test_the_terminal_fits_80_columns() -> None:
    assert max(map(len, text(80).splitlines())) <= 80


def test_the_page_needs_nothing_else_and_escapes_names() -> None:
    html = page.html(preview())
    assert "http" not in html and "src=" not in html
    assert "fresh &lt;script&gt;" in html and "<script>" not in html
    assert "2023-11..2024-01, 2024-03: lake.green changed" in html
    assert html.count("<h2") == 3


def test_json_has_plain_values() -> None:
    data = json.loads(json.dumps(preview().to_json()))
    assert data["version"] == 1
    assert data["kinds"] == {
        "new": ["fresh <script>"],
        "changed": ["facts"],
        "rebuild": ["forecast"],
        "join": ["facts"],
        "pruning": ["facts"],
        "stale": ["facts"],
    }
    facts = data["nodes"][0]
    assert (facts["code"], facts["action"], facts["kinds"]) == (
        "changed",
        "intervals",
        ["changed", "join", "pruning", "stale"],
    )
    assert facts["intervals"][0] == {"interval": "2023-11", "reason": "lake.green changed"}
    assert facts["expected"]["rows"] == {"median": 1234, "low": 1000, "high": 2000, "runs": 5}
    assert data["expected"]["seconds"] == {"median": 4.25, "low": 3, "high": 6, "runs": 2}
    assert data["nodes"][3]["name"] == "quiet"


@pytest.mark.parametrize("kind", ["join", "exchange", "pruning", "hint"])
def test_a_plan_change_is_a_kind(kind: str) -> None:
    assert node("a", plan_changes=(PlanChange(kind, "a"),)).kinds == (Kind(kind),)


def test_an_unknown_code_is_no_kind() -> None:
    assert node("a", code=Code.UNKNOWN).kinds == ()
