"""What the summary of a build counts."""

from __future__ import annotations

from penstock.summary import built_tables


def test_the_tables_are_the_lakes_and_those_the_run_built() -> None:
    """The ledger is a source that need not be there yet: counting it would end the summary with an error."""
    nodes = {
        f"{kind}.shop.{name}": {"schema": "warehouse", "alias": name, "config": {"materialized": kind}}
        for kind, name in (("model", "trips"), ("model", "broken"), ("snapshot", "zones_history"), ("seed", "zones"))
    }
    sources = [("lake", "green"), ("lake", "manifest"), ("warehouse", "batch_runs")]
    manifest = {
        "nodes": nodes,
        "sources": {f"source.shop.{s}.{name}": {"schema": s, "identifier": name} for s, name in sources},
    }
    results = [{"unique_id": node, "status": "error" if "broken" in node else "success"} for node in nodes]
    assert built_tables(manifest, {"results": results}) == [
        ("lake", "green"),
        ("warehouse", "trips"),
        ("warehouse", "zones_history"),
    ]
