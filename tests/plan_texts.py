"""Real texts of EXPLAIN FORMATTED, and a real kept plan, of this project's own tables."""

from __future__ import annotations

from pathlib import Path

from penstock.plans import plan_store
from penstock.plans.operators import Plan
from penstock.plans.parse import parse
from penstock.plans.plan_store import Kept

FOLDER = Path(__file__).parent / "unit" / "plans" / "texts"


def text(name: str) -> str:
    """What Spark printed."""
    return (FOLDER / f"{name}.txt").read_text()


def plan(name: str) -> Plan:
    """The same, parsed."""
    return parse(text(name))


def explained(name: str, sql: str = "", views: dict[str, list[str]] | None = None) -> Kept:
    """A model whose plan is one of the texts."""
    return Kept(f"model.shop.{name}", f"warehouse.{name}", "code", sql, views or {}, text(name))


def ran(name: str) -> Kept:
    """A model that ran."""
    found = plan_store.read(FOLDER, f"model.shop.{name}")
    assert found
    return found


def pickups() -> Kept:
    """Trips a zone and licence, with both names joined to them by broadcast."""
    return ran("pickups")


def highest() -> Kept:
    """Trips of the zone that a subquery chooses, which reads the trips again."""
    return ran("highest")
