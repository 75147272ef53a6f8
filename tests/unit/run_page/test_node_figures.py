"""Figures of a node: Spark's metrics, written files, and changes since the run before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.plans.plan_parser import parse
from penstock.report.run_page import operator_changes, written_files
from penstock.report.run_page.node_history import NodeHistory, PastRun
from penstock.report.run_page.node_metrics import NodeMetrics, measure
from tests.support import plan_texts, run_records
from tests.support.run_records import PICKUPS, START


def test_metrics_of_a_plan() -> None:
    captured = plan_texts.pickups()
    assert captured.executed
    executed = replace(captured.executed, started="")
    metrics = measure(run_records.build().nodes[PICKUPS], replace(captured, executed=executed))
    stages = executed.stages
    assert metrics.spark_seconds == executed.seconds
    assert metrics.rows_out == 1048
    assert metrics.rows_in is not None and metrics.rows_in > 265 + 4
    assert metrics.written == sum(stage.written for stage in stages) > 0
    assert metrics.shuffled == sum(stage.shuffle_written for stage in stages) > 0
    assert metrics.tasks == sum(stage.tasks for stage in stages)
    uneven = max(stages, key=lambda stage: stage.task_longest - stage.task_median)
    assert (metrics.skew, metrics.longest_task) == (uneven.skew, uneven.task_longest)


def test_a_plan_of_an_earlier_run_has_no_metrics_of_this_run() -> None:
    captured = plan_texts.pickups()
    assert captured.executed
    earlier = (START - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000GMT")
    old = replace(captured, executed=replace(captured.executed, started=earlier))
    assert measure(run_records.build().nodes[PICKUPS], old) == NodeMetrics()


def _commit(log: Path, version: int, time: datetime, **metrics: str) -> None:
    info = {"timestamp": int(time.timestamp() * 1000), "operation": "WRITE", "operationMetrics": metrics}
    (log / f"{version:020}.json").write_text(json.dumps({"commitInfo": info}) + "\n")


def test_files_of_the_commits_during_a_node(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    log = tmp_path / "warehouse" / "warehouse.db" / "pickups" / "_delta_log"
    log.mkdir(parents=True)
    _commit(log, 0, START - timedelta(days=1), numFiles="9", numOutputRows="900")
    _commit(log, 1, START + timedelta(seconds=10), numFiles="2", numOutputRows="20")
    _commit(log, 2, START + timedelta(seconds=12), numFiles="3", numOutputRows="30")
    _commit(log, 3, START + timedelta(minutes=5), numFiles="7", numOutputRows="70")
    node = run_records.build().nodes[PICKUPS]
    folder = written_files.log_folder(settings, node.relation)
    assert written_files.read(folder, node) == written_files.WrittenFiles(2, 5, 50)
    assert written_files.read(written_files.log_folder(settings, "warehouse.trips"), node) is None


def test_equal_plans_have_no_changes() -> None:
    for name in ("shuffle_hash", "window", "subquery"):
        assert operator_changes.describe(plan_texts.plan(name), plan_texts.plan(name)) == []


def test_a_join_that_changes_its_strategy_is_one_line() -> None:
    before = plan_texts.text("shuffle_hash")
    after = before.replace("ShuffledHashJoin", "SortMergeJoin")
    changes = operator_changes.describe(parse(before), parse(after))
    assert len(changes) == 1
    assert changes[0].startswith("join changed: ShuffledHashJoin ")
    assert " → SortMergeJoin " in changes[0]


def test_other_plans_name_what_is_gone_and_added() -> None:
    changes = operator_changes.describe(plan_texts.plan("shuffle_hash"), plan_texts.plan("window"))
    assert any(line.startswith("join gone: ShuffledHashJoin") for line in changes)
    assert "Window: 0 → 1" in changes


def test_earlier_runs_are_of_the_same_target_and_ran_the_node() -> None:
    def earlier(days: int, name: str, target: str = "local", status: str = "success") -> object:
        record = run_records.build(name, START - timedelta(days=days), target=target)
        return replace(record, nodes={PICKUPS: replace(record.nodes[PICKUPS], status=status)})

    this = run_records.build()
    records = [this, earlier(1, "skipped", status="skipped"), earlier(2, "other", "prod"), earlier(3, "good")]
    history = NodeHistory(this, records, {})  # type: ignore[arg-type]
    assert [item.run_id for item in history.earlier(PICKUPS)] == ["good"]
    assert [item.run_id for item in history.runs(PICKUPS)] == ["good", "second"]
    assert history.earlier("model.shop.unknown") == []


def test_the_ledger_adds_runs_whose_records_were_removed() -> None:
    this = run_records.build()
    runs = [PastRun(f"old{number:02}", run_records.at(-100000 + number), 1.0, "success") for number in range(30)]
    history = NodeHistory(this, [this], {"warehouse.pickups": [*runs, PastRun("second", this.started, 9.0, "success")]})
    found = history.runs(PICKUPS)
    assert len(found) == 20
    assert [item.run_id for item in found[-2:]] == ["old29", "second"]
    assert found[-1].seconds == pytest.approx(10)
