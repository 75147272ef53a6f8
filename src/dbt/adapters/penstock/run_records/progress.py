"""The progress of the running dbt command, as dbt's events report it."""

from __future__ import annotations

import importlib.metadata
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from dbt_common.invocation import get_invocation_id, get_invocation_started_at

from dbt.adapters.penstock import __version__
from dbt.adapters.penstock.run_records import node_runs
from penstock import clock
from penstock.process import Process
from penstock.runs.run_record import RUNNING, NodeRun, RunRecord

SUCCESS = "success"
PACKAGES = {"dbt": "dbt-core", "spark": "pyspark"}


class Observer(Protocol):
    """Follows a dbt command. dbt's threads call the methods, one at a time."""

    def command_started(self, record: RunRecord) -> None:
        """Handle the start of the command's nodes."""

    def node_started(self, node: NodeRun) -> None:
        """Handle the start of a node."""

    def node_changed(self, node: NodeRun) -> None:
        """Handle the end of a node's compilation."""

    def node_finished(self, node: NodeRun) -> None:
        """Handle the end of a node."""

    def command_finished(self, record: RunRecord) -> None:
        """Handle the end of the command."""


@dataclass(frozen=True)
class Command:
    """A dbt command.

    Attributes:
        config: dbt's configuration of the project.
        target: dbt's target folder.
        manifest: returns dbt's manifest.
        rows: returns the number of rows that a node wrote, or None if it is unknown.
    """

    config: Any
    target: Path
    manifest: Callable[[], Any]
    rows: Callable[[NodeRun], int | None]

    def new_record(self, node_count: int) -> RunRecord:
        """Return the record of this command before its first node."""
        arguments = self.config.args
        process = Process.from_pid(os.getpid())
        return RunRecord(
            run_id=get_invocation_id(),
            command=arguments.which,
            arguments=getattr(arguments, "invocation_command", "") or f"dbt {arguments.which}",
            project=self.config.project_name,
            target=self.config.target_name,
            started=node_runs.utc(get_invocation_started_at().isoformat()),
            process=process.pid,
            process_started=process.started,
            threads=self.config.threads,
            versions=_versions(),
            node_count=node_count,
        )


def _versions() -> dict[str, str]:
    found = {"penstock": __version__.version}
    for name, package in PACKAGES.items():
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


class Progress:
    """Follows a dbt command by its events, and tells the observers about its nodes.

    Args:
        command: the command.
        observers: the observers.
    """

    def __init__(self, command: Command, observers: list[Observer]) -> None:
        self._command, self._observers = command, observers
        self._lock = threading.RLock()
        self._record: RunRecord | None = None
        self._nodes: dict[str, NodeRun] = {}
        # For each node: the number of its starts minus the number of its ends. The batches of a microbatch model have
        # starts and ends with the model's id too. They are between the model's first start and the model's last end.
        self._open: dict[str, int] = {}
        self._handlers: dict[str, Callable[[Any], None]] = {
            "ConcurrencyLine": self._command_started,
            "NodeStart": self._node_started,
            "LogHookStartLine": self._node_started,
            "NodeExecuting": self._node_executing,
            "NodeFinished": self._node_finished,
            "LogHookEndLine": self._hook_finished,
            "CommandCompleted": self._command_finished,
        }

    def handle(self, message: Any) -> None:
        """Handle an event of dbt. dbt's other threads wait until this method returns, so observers must not block."""
        handler = self._handlers.get(message.info.name)
        if handler and (self._record or handler == self._command_started):
            with self._lock:
                handler(message)

    def record(self) -> RunRecord:
        """Return the record of the command so far."""
        with self._lock:
            assert self._record is not None
            return replace(self._record, nodes=dict(self._nodes))

    def _command_started(self, message: Any) -> None:
        self._record = self._command.new_record(message.data.node_count)
        for observer in self._observers:
            observer.command_started(self.record())

    def _node_started(self, message: Any) -> None:
        info = message.data.node_info
        name = info.unique_id
        self._open[name] = self._open.get(name, 0) + 1
        if name in self._nodes or info.materialized == "ephemeral":
            return
        run = node_runs.node_run(self._command.manifest(), name)
        if run is None:
            return
        self._nodes[name] = replace(
            run, thread=message.info.thread, compile_started=node_runs.utc(info.node_started_at) or _time(message)
        )
        for observer in self._observers:
            observer.node_started(self._nodes[name])

    def _node_executing(self, message: Any) -> None:
        run = self._nodes.get(message.data.node_info.unique_id)
        if run is None or run.execute_started:
            return
        self._nodes[run.unique_id] = replace(run, compile_ended=_time(message), execute_started=_time(message))
        for observer in self._observers:
            observer.node_changed(self._nodes[run.unique_id])

    def _node_finished(self, message: Any) -> None:
        name = message.data.node_info.unique_id
        self._open[name] = self._open.get(name, 1) - 1
        if name in self._nodes and not self._open[name]:
            data = message.data
            self._finish(node_runs.finished(self._nodes[name], data.run_result, data.node_info, _time(message)))

    def _hook_finished(self, message: Any) -> None:
        data = message.data
        if (run := self._nodes.get(data.node_info.unique_id)) is not None:
            self._finish(node_runs.hook_finished(run, data.status, data.node_info, _time(message)))

    def _finish(self, run: NodeRun) -> None:
        self._nodes[run.unique_id] = run
        for observer in self._observers:
            observer.node_finished(run)

    def _command_finished(self, message: Any) -> None:
        assert self._record is not None
        self._add_results()
        self._record = replace(self._record, ended=clock.now().isoformat(), success=message.data.success)
        for observer in self._observers:
            observer.command_finished(self.record())

    def _add_results(self) -> None:
        """Update the nodes from dbt's artifacts, add nodes without events, and end the nodes that still run."""
        for result in node_runs.results(self._command.target, get_invocation_id()):
            name = result["unique_id"]
            run = self._nodes.get(name) or node_runs.node_run(self._command.manifest(), name)
            if run is not None:
                self._nodes[name] = node_runs.with_result(run, result)
        for name, run in self._nodes.items():
            if run.status == RUNNING:
                self._nodes[name] = node_runs.unfinished(run)
            elif run.status == SUCCESS and run.resource_type in node_runs.BUILDING:
                self._nodes[name] = replace(run, rows=self._command.rows(run))


def _time(message: Any) -> str:
    """Return the time of an event as ISO 8601."""
    return str(message.info.ts.ToJsonString())
