"""The plan store returns captured plans as they were written, and None for other files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penstock.plans import plan_store, queries
from tests.support import plan_texts


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    captured = plan_texts.pickups()
    plan_store.write(tmp_path, captured)
    assert plan_store.read(tmp_path, captured.node) == captured
    assert [path.name for path in (tmp_path / plan_store.FOLDER).iterdir()] == ["model.shop.pickups.json"]
    only_explained = replace(captured, executed=None)
    plan_store.write(tmp_path, only_explained)
    assert plan_store.read(tmp_path, captured.node) == only_explained


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"node": 1}', '{"node": "a", "relation": "b", "more": 1}'])
def test_a_missing_or_invalid_file_is_none(tmp_path: Path, text: str) -> None:
    plan_store.path(tmp_path, "model.a.b").parent.mkdir()
    plan_store.path(tmp_path, "model.a.b").write_text(text)
    assert plan_store.read(tmp_path, "model.a.b") is None
    assert plan_store.read(tmp_path, "model.a.c") is None


def test_the_executed_plan_takes_precedence_over_the_explained_plan() -> None:
    captured = plan_texts.pickups()
    assert captured.name == "pickups"
    assert captured.source == "the plan that ran"
    assert captured.plan and captured.plan.is_final
    explained = captured.with_executed(None)
    assert explained.source == "the plan before the run"
    assert explained.plan and not explained.plan.is_final
    assert len(queries.joins(explained.plan)) == 2
    assert replace(explained, explained="").plan is None
