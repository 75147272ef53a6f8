"""A kept plan comes back as it was written; a file that is none is no plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import plan_texts
import pytest

from penstock.plans import plan_store, queries


def test_what_is_written_is_read(tmp_path: Path) -> None:
    ran = plan_texts.pickups()
    plan_store.write(tmp_path, ran)
    assert plan_store.read(tmp_path, ran.node) == ran
    assert [path.name for path in (tmp_path / plan_store.FOLDER).iterdir()] == ["model.shop.pickups.json"]
    only_explained = replace(ran, executed=None)
    plan_store.write(tmp_path, only_explained)
    assert plan_store.read(tmp_path, ran.node) == only_explained


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"node": 1}', '{"node": "a", "relation": "b", "more": 1}'])
def test_a_file_that_is_no_plan_is_none(tmp_path: Path, text: str) -> None:
    plan_store.path(tmp_path, "model.a.b").parent.mkdir()
    plan_store.path(tmp_path, "model.a.b").write_text(text)
    assert plan_store.read(tmp_path, "model.a.b") is None
    assert plan_store.read(tmp_path, "model.a.c") is None


def test_the_plan_that_ran_goes_before_the_explained_one() -> None:
    ran = plan_texts.pickups()
    assert ran.name == "pickups"
    assert ran.source == "the plan that ran"
    assert ran.plan and ran.plan.is_final
    before = ran.with_executed(None)
    assert before.source == "the plan before the run"
    assert before.plan and not before.plan.is_final
    assert len(queries.joins(before.plan)) == 2
    assert replace(before, explained="").plan is None
