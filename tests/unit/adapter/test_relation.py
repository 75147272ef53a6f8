"""The marker in the code of an interval model where it reads an input with an `event_time`."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.relation import EventTimeFilter

from dbt.adapters.penstock import relation as relations
from dbt.adapters.penstock.relation import PenstockRelation
from penstock.intervals import input_filter
from tests.unit.adapter.manifests import INTERVAL, NodeConfig, manifest_node, manifest_source

READER = manifest_node("facts", event_time="month", **INTERVAL)
CHECKED = manifest_node("checked", event_time="file_month", **INTERVAL)


def read_by(reader: Any, node: Any, **arguments: Any) -> Any:
    """Return the relation that `ref` or `source` gives while a reader is compiled."""
    quoting = SimpleNamespace(quoting={"database": False, "schema": False, "identifier": False})
    node = SimpleNamespace(
        **{"database": None, "catalog_name": None, "identifier": node.name, "quoting_dict": {}, **vars(node)}
    )
    with relations.compiling(reader):
        return PenstockRelation.create_from(quoting, node, **arguments)


@pytest.mark.parametrize(
    ("node", "marker"),
    [
        (CHECKED, "/* intervals of file_month */ true"),
        (manifest_node("days", event_time="day", batch_size="day", **INTERVAL), "/* intervals of day by day */ true"),
        (
            SimpleNamespace(**{**vars(manifest_source("trips")), "config": NodeConfig(event_time="file_month")}),
            "/* intervals of file_month by month */ true",
        ),
    ],
)
def test_an_input_with_an_event_time_is_marked(node: Any, marker: str) -> None:
    relation = read_by(READER, node, event_time_filter=None)
    assert f"where {marker}" in str(relation)
    assert "where" not in relation.render(), "as in dbt's microbatch, render() reads the whole input"
    assert input_filter.MARKER.search(marker), "each commit finds the marker"


def test_an_input_of_earlier_intervals_has_its_own_marker() -> None:
    reader = manifest_node("totals", event_time="month", reads_before=["checked"], **INTERVAL)
    relation = read_by(reader, CHECKED, event_time_filter=None)
    assert "where /* intervals before those of file_month */ true" in str(relation)


def test_other_relations_are_not_marked() -> None:
    """An input without event_time, another reader, a relation that is no ref, and one that dbt filters itself."""
    assert "intervals" not in str(read_by(READER, manifest_node("zones"), event_time_filter=None))
    assert "intervals" not in str(read_by(manifest_node("a"), CHECKED, event_time_filter=None))
    assert "intervals" not in str(read_by(READER, CHECKED))
    window = EventTimeFilter("file_month", datetime(2024, 1, 1), datetime(2024, 2, 1))
    sampled = str(read_by(READER, CHECKED, event_time_filter=window))
    assert "intervals" not in sampled and "2024-01-01" in sampled


def test_the_reader_is_forgotten_when_it_is_compiled() -> None:
    with relations.compiling(READER):
        with relations.compiling(None):
            assert "intervals" not in str(read_by(None, CHECKED, event_time_filter=None))
        assert relations._thread.node is READER
    assert relations._thread.node is None
