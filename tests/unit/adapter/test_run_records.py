"""The record of a dbt command from dbt's own events, without Spark."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.events import types
from dbt_common.events.base_types import BaseEvent, msg_from_base_event
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock.run_records import command_events, node_runs
from dbt.adapters.penstock.run_records.progress import Command, Observer, Progress
from dbt.adapters.penstock.run_records.recorder import Recorder
from penstock.runs import run_store
from penstock.runs.run_record import RUNNING, NodeRun, RunRecord
from tests.support.polling import wait_until
from tests.unit.adapter.manifests import manifest_node

TIMES = ("2026-01-01T12:00:00", "2026-01-01T12:00:01", "2026-01-01T12:00:05")
MODEL, TEST, SEED = "model.shop.orders", "test.shop.unique_orders", "seed.shop.raw"


def entry(name: str, *parents: str, kind: str = "model", **values: Any) -> Any:
    """Return an entry of a manifest."""
    node = manifest_node(name, *parents, kind=kind)
    node.name, node.alias, node.database, node.language = *[name.split(".")[2]] * 2, None, "sql"
    vars(node).update(values)
    return node


@pytest.fixture
def manifest() -> Any:
    """A seed, a model that reads it, and a test of the model."""
    seed = entry(SEED, kind="seed", depends_on=SimpleNamespace(macros=[]))
    test = entry(TEST, MODEL, kind="test", attached_node=MODEL)
    nodes = {SEED: seed, MODEL: entry(MODEL, SEED), TEST: test}
    hook = entry("operation.shop.hook", kind="operation")
    return SimpleNamespace(nodes={**nodes, hook.unique_id: hook}, sources={}, unit_tests={}, macros={})


class Calls(list[str]):
    """An observer that lists the calls."""

    def command_started(self, record: RunRecord) -> None:
        self.append("command started")

    def node_started(self, node: NodeRun) -> None:
        self.append(f"{node.name} started")

    def node_changed(self, node: NodeRun) -> None:
        self.append(f"{node.name} executes")

    def node_finished(self, node: NodeRun) -> None:
        self.append(f"{node.name} {node.status}")

    def command_finished(self, record: RunRecord) -> None:
        self.append("command finished")


class Run:
    """A dbt command that fires events."""

    def __init__(self, manifest: Any, target: Path) -> None:
        arguments = SimpleNamespace(which="build", invocation_command="dbt build --select orders")
        config = SimpleNamespace(args=arguments, project_name="shop", target_name="dev", threads=4)
        self.calls, self.target = Calls(), target
        self.observers: list[Observer] = [self.calls]
        self.progress = Progress(Command(config, target, lambda: manifest, lambda node: 7), self.observers)

    def fire(self, event: BaseEvent) -> None:
        self.progress.handle(msg_from_base_event(event))

    def begin(self) -> None:
        self.fire(types.ConcurrencyLine(num_threads=4, target_name="dev", node_count=3))

    def start(self, name: str) -> None:
        self.fire(types.NodeStart(node_info=info(name)))

    def execute(self, name: str) -> None:
        self.fire(types.NodeExecuting(node_info=info(name)))

    def finish(self, name: str, status: str = "success", **result: Any) -> None:
        self.fire(types.NodeFinished(node_info=info(name), run_result={**RESULT, "status": status, **result}))

    def end(self, success: bool = True) -> None:
        self.fire(types.CommandCompleted(command="dbt build", success=success, elapsed=1.0))

    @property
    def nodes(self) -> dict[str, NodeRun]:
        return self.progress.record().nodes

    def write_results(self, *results: dict[str, Any], run_id: str | None = None) -> None:
        metadata = {"invocation_id": run_id or get_invocation_id()}
        self.target.mkdir(exist_ok=True)
        (self.target / "run_results.json").write_text(json.dumps({"metadata": metadata, "results": results}))


def info(name: str, **values: Any) -> dict[str, Any]:
    """Return the node_info of an event."""
    kind, _, short = name.split(".", 2)
    data = {"unique_id": name, "node_name": short, "resource_type": kind, "materialized": "table"}
    return {**data, "node_started_at": TIMES[0], "node_finished_at": TIMES[2], **values}


RESULT: dict[str, Any] = {
    "thread": "Thread-1",
    "message": "OK",
    "timing_info": [
        {"name": "compile", "started_at": f"{TIMES[0]}Z", "completed_at": f"{TIMES[1]}Z"},
        {"name": "execute", "started_at": f"{TIMES[1]}Z", "completed_at": f"{TIMES[2]}Z"},
    ],
    "adapter_response": {"rows_affected": 6, "_message": "INSERT 6"},
}


@pytest.fixture
def run(manifest: Any, tmp_path: Path) -> Run:
    """A command whose nodes begin to run."""
    made = Run(manifest, tmp_path / "target")
    made.begin()
    return made


def test_a_model_from_its_start_to_its_end(run: Run) -> None:
    run.start(MODEL)
    node = run.nodes[MODEL]
    assert (node.status, node.relation, node.depends_on, node.ended) == (RUNNING, "w.orders", [SEED], None)
    assert node.started == datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    assert node.code
    run.execute(MODEL)
    assert run.nodes[MODEL].execute_started
    run.finish(MODEL)
    node = run.nodes[MODEL]
    assert (node.status, node.thread, node.seconds, node.failures) == ("success", "Thread-1", 5.0, None)
    assert node.response == {"rows_affected": 6, "_message": "INSERT 6"}
    assert run.calls == ["command started", "orders started", "orders executes", "orders success"]


def test_a_test_has_failures_and_the_node_that_it_tests(run: Run) -> None:
    run.start(TEST)
    run.finish(TEST, "fail", num_failures=2)
    node = run.nodes[TEST]
    assert (node.failures, node.tested, node.relation, node.materialized) == (2, [MODEL], "", "")


def test_batches_of_a_microbatch_model_do_not_end_it(run: Run) -> None:
    run.start(MODEL)
    run.execute(MODEL)
    for _ in range(2):
        run.start(MODEL)
        run.execute(MODEL)
        run.finish(MODEL)
        assert run.nodes[MODEL].status == RUNNING
    run.finish(MODEL, "partial success")
    assert run.nodes[MODEL].status == "partial success"
    assert run.calls.count("orders started") == run.calls.count("orders executes") == 1


def test_a_seed_has_no_parents_and_an_ephemeral_model_is_left_out(run: Run, manifest: Any) -> None:
    run.start(SEED)
    assert run.nodes[SEED].depends_on == []
    run.fire(types.NodeStart(node_info=info(MODEL, materialized="ephemeral")))
    run.finish(MODEL)
    assert list(run.nodes) == [SEED]


def test_a_hook_has_its_times(run: Run) -> None:
    hook = info("operation.shop.hook")
    run.fire(types.LogHookStartLine(statement="hook", index=1, total=1, node_info=hook))
    assert run.nodes["operation.shop.hook"].status == RUNNING
    run.fire(types.LogHookEndLine(statement="hook", status="error", index=1, total=1, execution_time=5, node_info=hook))
    node = run.nodes["operation.shop.hook"]
    assert (node.status, node.seconds, node.resource_type) == ("error", 5.0, "operation")


def test_the_results_of_dbt_complete_the_record(run: Run) -> None:
    run.start(MODEL)
    run.finish(MODEL)
    timing = [{"name": "execute", "started_at": f"{TIMES[1]}Z", "completed_at": "2026-01-01T12:00:01.5Z"}]
    exact = {"unique_id": MODEL, "status": "success", "timing": timing, "thread_id": "Thread-9", "message": "done"}
    skipped = {"unique_id": TEST, "status": "skipped", "timing": [], "message": "Skipping due to fail_fast"}
    unknown = {"unique_id": "exposure.shop.page", "status": "skipped", "timing": []}
    run.write_results(exact, skipped, unknown)
    run.end()
    record = run.progress.record()
    assert (record.success, bool(record.ended), record.node_count) == (True, True, 3)
    assert (record.arguments, record.threads) == ("dbt build --select orders", 4)
    assert list(record.nodes) == [MODEL, TEST]
    model = record.nodes[MODEL]
    assert (model.execute_ended, model.thread, model.message) == ("2026-01-01T12:00:01.5Z", "Thread-9", "done")
    assert model.rows == 7
    assert (record.nodes[TEST].status, record.nodes[TEST].rows) == ("skipped", None)


def test_results_of_another_command_are_ignored(run: Run) -> None:
    run.start(MODEL)
    run.finish(MODEL)
    run.write_results({"unique_id": MODEL, "status": "error", "timing": []}, run_id="another")
    run.end()
    assert run.nodes[MODEL].status == "success"


def test_freshness_of_a_source_is_in_its_response(run: Run, manifest: Any) -> None:
    name = "source.shop.lake.trips"
    source = entry(name, kind="source", identifier="trips", alias=None)
    manifest.sources[name] = source
    run.target.mkdir()
    age = {"max_loaded_at": "2026-01-01T00:00:00Z", "snapshotted_at": "2026-01-02T00:00:00Z"}
    result = {"unique_id": name, "status": "warn", "timing": [], **age}
    artifact = {"metadata": {"invocation_id": get_invocation_id()}, "results": [result]}
    (run.target / "sources.json").write_text(json.dumps(artifact))
    run.end()
    assert (run.nodes[name].status, run.nodes[name].response) == ("warn", age)


def test_a_node_that_ctrl_c_interrupts_ends_with_the_command(run: Run) -> None:
    run.start(MODEL)
    run.execute(MODEL)
    run.end(success=False)
    node = run.nodes[MODEL]
    assert (node.status, node.message) == ("error", node_runs.UNFINISHED)
    assert node.seconds > 0


def test_events_before_the_first_node_are_ignored(manifest: Any, tmp_path: Path) -> None:
    run = Run(manifest, tmp_path)
    run.start(MODEL)
    run.end()
    assert run.calls == []


@pytest.fixture
def recorded(run: Run) -> Iterator[Run]:
    """A command with a record."""
    recorder = Recorder(run.target, 2, run.progress.record)
    run.observers.append(recorder)
    recorder.command_started(run.progress.record())
    yield run
    recorder._ended.set()
    recorder._changed.set()


def saved(run: Run) -> RunRecord | None:
    """Return the record on disk."""
    return run_store.read(run.target, get_invocation_id())


def test_the_record_follows_the_command(recorded: Run) -> None:
    wait_until(lambda: saved(recorded) is not None, "the first record")
    recorded.start(MODEL)
    wait_until(lambda: bool((found := saved(recorded)) and MODEL in found.nodes), "the node in the record")
    found = saved(recorded)
    assert found is not None
    assert found.is_running
    recorded.finish(MODEL)
    recorded.end()
    assert saved(recorded) == recorded.progress.record()
    found = saved(recorded)
    assert found is not None
    assert not found.is_running


def test_old_records_are_removed_at_the_end(recorded: Run) -> None:
    for name in ("a", "b", "c"):
        run_store.write(recorded.target, replace(recorded.progress.record(), run_id=name, ended="2026-01-01T00:00:00"))
    recorded.end()
    assert len(run_store.records(recorded.target)) == 2
    assert saved(recorded) is not None


def test_a_full_disk_is_one_warning(
    recorded: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        attempts.append(threading.current_thread().name)
        raise OSError(28, "No space left on device")

    attempts: list[str] = []
    warnings: list[str] = []
    monkeypatch.setattr(run_store, "write", fail)
    monkeypatch.setattr("dbt.adapters.penstock.run_records.recorder.logger.warning", warnings.append)
    recorded.start(MODEL)
    wait_until(lambda: bool(attempts), "an attempt to write")
    recorded.finish(MODEL)
    recorded.end()
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0]
    assert len(attempts) == 1


def test_an_error_in_a_handler_is_logged_once_and_never_raised(
    run: Run, manifest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr("dbt.adapters.penstock.run_records.command_events.logger.warning", warnings.append)
    guard = command_events._Guard(run.progress)
    manifest.nodes = None
    for name in (MODEL, TEST):
        guard(msg_from_base_event(types.NodeStart(node_info=info(name))))
    assert len(warnings) == 1
    assert "NodeStart" in warnings[0]


@pytest.mark.parametrize("command", ["compile", "show", "parse", "run-operation", None])
def test_other_commands_are_not_recorded(command: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[Any] = []
    monkeypatch.setattr(command_events, "add_callback_to_manager", added.append)
    config = SimpleNamespace(args=SimpleNamespace(which=command))
    command_events.follow(SimpleNamespace(), config)  # type: ignore[arg-type]
    assert added == []
