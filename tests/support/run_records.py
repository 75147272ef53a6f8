"""Records of dbt commands as tests need them, with the real captured plans of `plan_texts`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from penstock.plans import plan_store
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord
from tests.support import plan_texts

START = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
SEED, TRIPS, PICKUPS = "seed.shop.zones", "model.shop.trips", "model.shop.pickups"
ZONES_TEST, TRIPS_TEST = "test.shop.zones_unique", "test.shop.trips_not_null"
# A text that would end a page's script element, or become an element, if the page did not escape it.
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def at(seconds: float, start: datetime = START) -> str:
    """Return a time as dbt writes it, some seconds after a start."""
    return (start + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def node(unique_id: str, began: float, ended: float, start: datetime = START, **fields: Any) -> NodeRun:
    """Return a node that compiled for 0.5 seconds and then executed."""
    kind, _, name = unique_id.split(".")
    given: dict[str, Any] = {
        "status": "pass" if kind == "test" else "success",
        "thread": "Thread-1",
        "materialized": "" if kind == "test" else "table",
        "relation": "" if kind == "test" else f"warehouse.{name}",
        **fields,
    }
    executes = at(began + 0.5, start)
    times = {"compile_started": at(began, start), "compile_ended": executes, "execute_started": executes}
    return replace(NodeRun(unique_id, name, kind), **{**times, "execute_ended": at(ended, start), **given})


def build(run_id: str = "second", start: datetime = START, **fields: Any) -> RunRecord:
    """Return the record of a `dbt build` of a seed, two models and two tests, of which one failed."""
    nodes = [
        node(SEED, 2, 4, start, materialized="seed"),
        node(ZONES_TEST, 4, 5, start, depends_on=[SEED], tested=[SEED]),
        node(TRIPS, 2, 6, start, thread="Thread-2"),
        node(PICKUPS, 7, 17, start, depends_on=[SEED, TRIPS], code="new" if run_id == "second" else "old"),
        node(
            TRIPS_TEST, 6, 8, start, thread="Thread-2", depends_on=[TRIPS], tested=[TRIPS], status="fail",
            message=f"Got 3 results {HOSTILE}", failures=3,
        ),
    ]  # fmt: skip
    given: dict[str, Any] = {"ended": at(18, start), "success": False, "threads": 2, **fields}
    versions = {"dbt": "1.11.0", "penstock": "0.2.0", "spark": "4.1.1"}
    by_id = {item.unique_id: item for item in nodes}
    return replace(
        RunRecord(run_id, "build", f"dbt build --vars '{HOSTILE}'", "shop", "local", at(0, start)),
        **{"versions": versions, "nodes": by_id, **given},
    )


def write_target(target: Path) -> Path:
    """Write two records a day apart with the plan of one model, and a manifest; return the folder."""
    for record in (build("first", START - timedelta(days=1)), build()):
        run_store.write(target, record)
        captured = plan_texts.pickups()
        assert captured.executed
        started = record.nodes[PICKUPS].execute_started
        moved = datetime.fromisoformat(started.replace("Z", "+00:00")).strftime("%Y-%m-%dT%H:%M:%S.000GMT")
        kept = replace(captured, executed=replace(captured.executed, started=moved))
        plan_store.write(run_store.folder(target, record.run_id), kept)
    columns = {"zone_id": {"name": "zone_id", "description": HOSTILE}}
    nodes = {
        PICKUPS: {"name": "pickups", "description": f"Pickups. {HOSTILE}", "columns": columns, "resource_type": "model"}
    }
    sources = {"source.shop.raw.zones": {"source_name": "raw", "name": "zones"}}
    (target / "manifest.json").write_text(json.dumps({"nodes": nodes, "sources": sources}))
    return target
