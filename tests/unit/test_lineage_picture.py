"""docs/images/lineage.svg shows the models that the project has and what they read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """tools/lineage_picture.py, a script."""
    sys.path.insert(0, str(ROOT / "tools"))
    import lineage_picture

    yield lineage_picture
    sys.path.remove(str(ROOT / "tools"))


def test_the_picture_is_of_this_project(tool: ModuleType) -> None:
    text = tool.draw(*tool.read_project(ROOT))
    assert tool.PICTURE.read_text() == text, "run `.venv/bin/python tools/lineage_picture.py`"


def test_every_model_has_a_box_of_its_kind(tool: ModuleType) -> None:
    text = tool.PICTURE.read_text()
    names = [path.stem for folder in ("models", "python_models") for path in (ROOT / folder).rglob("*.*")]
    models = [name for name in names if f">{name}</text>" in text]
    assert len(models) == text.count('<rect class="sql" x=') + text.count('<rect class="python" x=') - 2  # the legend
    assert {"fct_trips", "trip_features", "prediction_drift"} <= {*models}


def test_an_implied_edge_is_left_out_and_a_long_one_bends(tool: ModuleType) -> None:
    graph = {"a": set(), "b": {"a"}, "c": {"b", "a"}, "d": {"a"}, "e": {"c", "d"}}
    reduced = tool.without_implied_edges(graph)
    assert reduced == {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"a"}, "e": {"c", "d"}}
    rows = tool.rank(reduced)
    assert [rows[name] for name in "abcde"] == [0, 1, 2, 1, 3]
    bent = tool.with_bends(reduced, rows)
    assert bent["e"] == {"c", "d:e:2"} and bent["d:e:2"] == {"d"}


def test_no_two_boxes_of_a_row_touch(tool: ModuleType) -> None:
    graph, _ = tool.read_project(ROOT)
    reduced = tool.without_implied_edges(graph)
    rows = tool.rank(reduced)
    bent = tool.with_bends(reduced, rows)
    middles = tool.place(bent, rows)
    for row in set(rows.values()):
        level = [name for name in bent if rows[name] == row]
        boxes = sorted((middles[name] - tool.width(name) / 2, middles[name] + tool.width(name) / 2) for name in level)
        assert all(right <= left for (_, right), (left, _) in pairwise(boxes))
