"""`penstock preview` on this project: a changed hint and filter, stale months, and nothing written."""

from __future__ import annotations

import json
from typing import Any

from penstock.intervals import run_marker
from tests.support.projects import Project, edited


def preview(project: Project, *arguments: str) -> dict[str, Any]:
    """Return the JSON of a preview, with the nodes by name."""
    done = project.penstock("preview", *arguments, "--json")
    assert done.returncode == 0, done.stdout[-3000:]
    data: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return {**data, "nodes": {node["name"]: node for node in data["nodes"]}}


def state(project: Project) -> tuple[Any, ...]:
    """Return what a preview must leave as it is: the ledger, a table's version, and the run markers."""
    ledger = project.sql("select count(*), max(started_at) from warehouse.batch_runs")
    version = project.sql("describe history warehouse.hourly_zone_revenue limit 1")[0][0]
    folder = project.root / "target" / run_marker.FOLDER
    return ledger, version, sorted(folder.glob("*")) if folder.exists() else []


def test_a_changed_hint_and_filter_of_a_model(sampled: Project) -> None:
    """The join that changes and the months that become stale are named, and nothing is written."""
    path = sampled.root / "models" / "marts" / "hourly_zone_revenue.sql"
    text = path.read_text()
    changed = (
        text.replace("broadcast('zones')", "merge('zones')")
        .replace("where service_type = 'green'", "where service_type = 'green' and total_amount > 0")
        .replace("materialized='incremental',", "materialized='incremental', on_code_change='rebuild',")
    )
    before = state(sampled)
    with edited(path, changed):
        data = preview(sampled, "--select", "hourly_zone_revenue")
        table = sampled.penstock("preview", "--select", "hourly_zone_revenue").stdout
    node = data["nodes"]["hourly_zone_revenue"]
    assert node["code"] == "changed"
    joins = [change for change in node["plan_changes"] if change["kind"] == "join"]
    assert len(joins) == 1, node["plan_changes"]
    assert "`zones` (warehouse.dim_zones)" in joins[0]["subject"] and "warehouse.fct_trips" in joins[0]["subject"]
    assert joins[0]["before"].startswith("broadcast hash join") and joins[0]["after"].startswith("sort-merge join")
    stale = {item["interval"]: item["reason"] for item in node["intervals"]}
    built = {str(row[0])[:7] for row in sampled.sql("select distinct pickup_month from warehouse.hourly_zone_revenue")}
    assert set(stale) >= built and set(stale.values()) == {"code changed"}
    assert node["action"] == "rebuild" and node["expected"]["seconds"]["runs"] >= 1
    assert node["expected"]["rows"]["median"] > 0 and node["expected"]["bytes"]["median"] > 0
    assert "code changed" in table and "→ sort-merge join, left outer" in table
    assert state(sampled) == before


def test_stale_months_spread_to_downstream_models(sampled: Project) -> None:
    """A run would build the upstream model first, so downstream months are stale for its commits."""
    path = sampled.root / "models" / "marts" / "fct_trips.sql"
    text = path.read_text()
    changed = text.replace("materialized='incremental',", "materialized='incremental', on_code_change='rebuild',", 1)
    changed = changed.replace("from trips", "from trips where true", 1)
    assert changed != text
    before = state(sampled)
    with edited(path, changed):
        nodes = preview(sampled, "--select", "fct_trips+")["nodes"]
    assert {item["reason"] for item in nodes["fct_trips"]["intervals"]} == {"code changed"}
    assert {item["reason"] for item in nodes["hourly_zone_revenue"]["intervals"]} == {"warehouse.fct_trips changed"}
    assert nodes["hourly_zone_revenue"]["downstream_of"] == ["fct_trips"]
    assert state(sampled) == before


def test_an_unchanged_project_has_nothing_stale(sampled: Project) -> None:
    data = preview(sampled)
    assert not {"stale", "changed", "new", "join", "exchange", "pruning", "hint"} & set(data["kinds"])
    assert data["nodes"]["zones"]["action"] == "nothing", "a run doesn't load a seed whose table it has loaded"


def test_a_changed_seed_is_loaded(sampled: Project) -> None:
    path = sampled.root / "seeds" / "zones.csv"
    with edited(path, path.read_text().replace("Newark", "New Ark", 1)):
        node = preview(sampled, "--select", "zones")["nodes"]["zones"]
    assert (node["code"], node["action"]) == ("changed", "load seed")
