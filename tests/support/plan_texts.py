"""Real outputs of EXPLAIN FORMATTED, and real captured plans, for tables of this project."""

from __future__ import annotations

from pathlib import Path

from penstock.plans import plan_store
from penstock.plans.operators import Plan
from penstock.plans.plan_parser import parse
from penstock.plans.plan_store import CapturedPlan

FOLDER = Path(__file__).parents[1] / "unit" / "plans" / "texts"


def text(name: str) -> str:
    """Return the output of EXPLAIN FORMATTED."""
    return (FOLDER / f"{name}.txt").read_text()


def plan(name: str) -> Plan:
    """Return the parsed plan."""
    return parse(text(name))


def explained(name: str, sql: str = "", views: dict[str, list[str]] | None = None) -> CapturedPlan:
    """Return a captured plan that was explained but didn't run."""
    return CapturedPlan(f"model.shop.{name}", f"warehouse.{name}", "code", sql, views or {}, text(name))


def ran(name: str) -> CapturedPlan:
    """Return the captured plan of a model that ran."""
    found = plan_store.read(FOLDER, f"model.shop.{name}")
    assert found
    return found


def pickups() -> CapturedPlan:
    """Return the plan of a count of trips per zone and licence, which has two broadcast joins."""
    return ran("pickups")


def highest() -> CapturedPlan:
    """Return the plan of a query for the trips in one zone. A subquery on the same table selects the zone."""
    return ran("highest")
