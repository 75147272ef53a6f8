"""The joins that differ between the captured plans of two targets."""

from __future__ import annotations

from pathlib import Path

from penstock.diff.dbt_tables import DbtTable
from penstock.diff.plan_differences import add_plan_changes
from penstock.diff.results import TableDiff
from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord
from tests.support import plan_texts

NODE = "model.small.revenue"


def keep(folder: Path, run: str, target: str, started: str, explained: str) -> None:
    """Write the record of a dbt command that built the model, with its plan."""
    record = RunRecord(
        run, "build", "dbt build", "small", target, started, nodes={NODE: NodeRun(NODE, "revenue", "model")}
    )
    run_store.write(folder, record)
    plan_store.write(run_store.folder(folder, run), CapturedPlan(NODE, "s.revenue", "code", explained=explained))


def changes(folder: Path) -> tuple[str, ...]:
    (found,) = add_plan_changes(folder, [DbtTable(NODE, "revenue", {})], [TableDiff("revenue")], ("prod", "dev"))
    return found.plan_changes


def test_joins_that_differ(tmp_path: Path) -> None:
    """The newest plans of both targets count."""
    keep(tmp_path, "1", "prod", "2024-01-01T00:00:00", plan_texts.text("merge"))
    keep(tmp_path, "2", "dev", "2024-01-02T00:00:00", plan_texts.text("shuffle_hash"))
    keep(tmp_path, "3", "dev", "2024-01-01T00:00:00", "not a plan")
    assert changes(tmp_path) == ("join of dim_zones and fct_trips: sort-merge join → shuffle hash join",)


def test_equal_plans(tmp_path: Path) -> None:
    for place, target in enumerate(("prod", "dev")):
        keep(tmp_path, str(place), target, "2024-01-01T00:00:00", plan_texts.text("merge"))
    assert changes(tmp_path) == ()


def test_a_join_that_is_gone(tmp_path: Path) -> None:
    keep(tmp_path, "1", "prod", "2024-01-01T00:00:00", plan_texts.text("merge"))
    keep(tmp_path, "2", "dev", "2024-01-01T00:00:00", plan_texts.text("window"))
    assert changes(tmp_path) == ("join of dim_zones and fct_trips: sort-merge join → no join",)


def test_a_target_without_kept_plans(tmp_path: Path) -> None:
    keep(tmp_path, "1", "prod", "2024-01-01T00:00:00", plan_texts.text("merge"))
    assert changes(tmp_path) == ()
