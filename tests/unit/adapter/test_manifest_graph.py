"""dbt's manifest as the interval planner sees it: inputs, fingerprints, and deferred upstream models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dbt.adapters.penstock.interval_models.manifest_graph import ManifestGraph
from penstock.errors import PenstockError
from penstock.intervals.model_graph import ModelInputs
from tests.unit.adapter.manifests import INTERVAL, manifest_node, manifest_source

LAKE = SimpleNamespace(has_intervals=lambda table: table != "manifest")


@pytest.fixture
def manifest() -> Any:
    """lake.trips → staged (view) → checked → facts, with a seed, a table behind a view, and lake.manifest."""
    nodes = [
        manifest_node("staged", "trips", materialized="view"),
        manifest_node("checked", "staged", event_time="month", **INTERVAL),
        manifest_node("zones", kind="seed", materialized="seed"),
        manifest_node("codes", "zones", "elsewhere"),
        manifest_node("named", "codes", "manifest", materialized="view"),
        manifest_node("facts", "checked", "named", "zones", event_time="month", **INTERVAL),
        manifest_node("totals", "facts", "checked", event_time="month", reads_before=["checked"], **INTERVAL),
        manifest_node("without_intervals", "codes", "elsewhere", event_time="month", **INTERVAL),
        manifest_node("without_inputs", event_time="month", **INTERVAL),
    ]
    sources = [manifest_source("trips"), manifest_source("manifest"), manifest_source("elsewhere", "other")]
    return SimpleNamespace(
        nodes={item.unique_id: item for item in nodes}, sources={item.unique_id: item for item in sources}, macros={}
    )


def inputs(manifest: Any, name: str) -> ModelInputs:
    """Return the inputs of a model."""
    sources: Any = {"lake": LAKE}
    return ManifestGraph(manifest, sources, SimpleNamespace(), lambda *relation: True).inputs(name)


def test_inputs_are_found_through_views(manifest: Any) -> None:
    """The lake's datasets behind views, and other interval models; lake.manifest has no intervals."""
    checked, facts = inputs(manifest, "checked"), inputs(manifest, "facts")
    assert (checked.sources, checked.models) == ((("lake", "trips"),), ())
    assert (facts.sources, facts.models) == ((), ("checked",))


def test_an_input_of_earlier_intervals_is_separate(manifest: Any) -> None:
    totals = inputs(manifest, "totals")
    assert (totals.models, totals.before) == (("facts",), ("checked",))


def test_reads_before_must_name_upstream_interval_models(manifest: Any) -> None:
    manifest.nodes["totals"].config.reads_before = ["checked", "zones"]
    with pytest.raises(PenstockError) as caught:
        inputs(manifest, "totals")
    assert "needed: models of the strategy interval that totals refers to as its reads_before" in str(caught.value)
    assert "found: zones. do: name some of checked, facts" in str(caught.value)


@pytest.mark.parametrize(("name", "reads"), [("without_intervals", "codes, elsewhere"), ("without_inputs", "nothing")])
def test_a_model_whose_inputs_have_no_intervals_is_refused(manifest: Any, name: str, reads: str) -> None:
    with pytest.raises(PenstockError) as caught:
        inputs(manifest, name)
    assert f"needed: an input of {name} (strategy interval) that has intervals" in str(caught.value)
    assert f"found: {reads}. do: read one of those" in str(caught.value)


def test_an_invalid_configuration_is_refused(manifest: Any) -> None:
    manifest.nodes["facts"].config.event_time = None
    with pytest.raises(PenstockError, match="needed: the column that tells a row's interval as event_time of facts"):
        inputs(manifest, "facts")


@pytest.mark.parametrize(("changed", "differs"), [
    ("facts", True), ("named", True), ("codes", True), ("zones", True), ("checked", False), ("staged", False),
])  # fmt: skip
def test_the_fingerprint_covers_the_model_and_its_inputs_without_intervals(
    manifest: Any, changed: str, differs: bool
) -> None:
    """A seed counts by its content, a table by its own code and that of its inputs; other inputs are in the ledger."""
    before = inputs(manifest, "facts").code
    assert inputs(manifest, "facts").code == before
    manifest.nodes[changed].checksum.checksum = "other text"
    assert (inputs(manifest, "facts").code != before) is differs


def test_the_fingerprint_leaves_out_how_intervals_are_committed(manifest: Any) -> None:
    before = inputs(manifest, "facts").code
    manifest.nodes["facts"].config.intervals_per_commit = 3
    manifest.nodes["facts"].config.on_code_change = "rebuild"
    assert inputs(manifest, "facts").code == before
    manifest.nodes["facts"].config.event_time = "other_month"
    assert inputs(manifest, "facts").code != before


@pytest.mark.parametrize(
    ("arguments", "exists", "is_deferred"),
    [
        ({}, False, False),
        ({"defer": True}, True, False),
        ({"defer": True}, False, True),
        ({"defer": True, "favor_state": True}, True, True),
        ({"favor_state": True}, False, False),
    ],
)
def test_an_upstream_model_is_deferred_as_dbts_ref_is(
    arguments: dict[str, Any], exists: bool, is_deferred: bool
) -> None:
    """Only with --defer, and only when the table does not exist here or the other environment is favored."""
    model = manifest_node("checked", event_time="month", **INTERVAL)
    model.database, model.defer_relation = None, SimpleNamespace(database=None, schema="prod", alias="checked")
    nodes = SimpleNamespace(nodes={"checked": model, "other": manifest_node("other", **INTERVAL)})

    def find(*name: Any) -> bool:
        return exists and name == (None, "w", "checked")

    graph = ManifestGraph(nodes, {}, SimpleNamespace(**arguments), find)
    deferred = graph.deferred_model("checked")
    assert (deferred and deferred.relation) == ("prod.checked" if is_deferred else None)
    assert graph.deferred_model("other") is None, "the other environment does not have it"
