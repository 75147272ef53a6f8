"""Records of dbt commands: round trip, plans, and the removal of the oldest."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.process import Process
from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord

BEGIN = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def record(run_id: str, **values: object) -> RunRecord:
    """Return the record of a command that has ended."""
    begin = BEGIN.isoformat()
    return replace(RunRecord(run_id, "build", "dbt build", "shop", "dev", begin, begin, True), **values)  # type: ignore[arg-type]


def node(name: str, started: datetime = BEGIN) -> NodeRun:
    """Return a model that has ended."""
    return NodeRun(name, name, "model", "success", compile_started=started.isoformat(), response={"rows": 3}, rows=3)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = record("a", nodes={"m": node("m")}, versions={"dbt": "1.12"}, node_count=1)
    run_store.write(tmp_path, written)
    assert run_store.read(tmp_path, "a") == written
    assert (run_store.folder(tmp_path, "a") / run_store.FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"run_id": "a", "nodes": {}, "unknown": 1}'])
def test_an_unreadable_record_is_left_out(tmp_path: Path, text: str) -> None:
    run_store.write(tmp_path, record("a"))
    run_store.write(tmp_path, record("b"))
    (run_store.folder(tmp_path, "a") / run_store.FILE).write_text(text)
    assert [found.run_id for found in run_store.records(tmp_path)] == ["b"]


def test_only_the_plans_of_the_command_are_kept(tmp_path: Path) -> None:
    for name in ("earlier", "now"):
        plan_store.write(tmp_path, CapturedPlan(name, f"s.{name}", "code"))
        path = plan_store.path(tmp_path, name)
        moment = (BEGIN + timedelta(seconds=-5 if name == "earlier" else 5)).timestamp()
        os.utime(path, (moment, moment))
    kept = record("a", nodes={name: node(name) for name in ("earlier", "now", "without")})
    run_store.keep_plans(tmp_path, kept)
    found = {name: run_store.plan(tmp_path, "a", name) for name in kept.nodes}
    assert {name for name, plan in found.items() if plan} == {"now"}
    assert run_store.captured_plan(tmp_path, kept.nodes["earlier"]) is None
    assert run_store.captured_plan(tmp_path, kept.nodes["now"]) == found["now"]


def test_the_oldest_records_are_removed_unless_their_command_runs(tmp_path: Path) -> None:
    me = Process.from_pid(os.getpid())
    running = record("running", ended="", success=None, process=me.pid, process_started=me.started)
    killed = record("killed", ended="", success=None, process=me.pid, process_started=me.started - 60)
    assert running.is_running
    assert not killed.is_running
    for age, made in enumerate([record("new"), record("second"), killed, running]):
        run_store.write(tmp_path, made)
        moment = (BEGIN - timedelta(hours=age)).timestamp()
        os.utime(run_store.folder(tmp_path, made.run_id), (moment, moment))
    run_store.remove_oldest(tmp_path, 2)
    assert {found.run_id for found in run_store.records(tmp_path)} == {"new", "second", "running"}


def test_nothing_is_removed_before_the_first_record(tmp_path: Path) -> None:
    run_store.remove_oldest(tmp_path, 1)
    assert run_store.records(tmp_path) == []
