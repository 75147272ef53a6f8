"""The record of one dbt command: what each node did, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from penstock.process import Process

RUNNING = "running"


@dataclass(frozen=True)
class NodeRun:
    """One node of a dbt command.

    Attributes:
        unique_id: dbt's unique id, as in `model.project.name`.
        name: dbt's name of the node.
        resource_type: `model`, `seed`, `snapshot`, `test`, `unit_test`, `operation` or `source` (freshness).
        status: dbt's status, as in `success`, `pass`, `error`, `skipped`; `running` until the node ends.
        materialized: the materialization; empty for tests.
        language: `sql` or `python`.
        relation: `schema.table`, or `catalog.schema.table` outside the default catalog; empty if the node has no table.
        code: fingerprint of the node's code, as `node_fingerprint.fingerprint` returns it; empty for tests.
        thread: dbt's name of the thread.
        compile_started, compile_ended, execute_started, execute_ended: times in UTC, as ISO 8601; empty when unknown.
        message: dbt's message, as in `OK` or an error.
        failures: the number of rows that a test returned; None for other nodes.
        response: dbt's `adapter_response`.
        depends_on: the unique ids of the node's parents.
        tested: for a test, the unique ids of the nodes that it tests.
        rows: the number of rows that the node wrote; None if unknown, and until the command ends.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str = RUNNING
    materialized: str = ""
    language: str = "sql"
    relation: str = ""
    code: str = ""
    thread: str = ""
    compile_started: str = ""
    compile_ended: str = ""
    execute_started: str = ""
    execute_ended: str = ""
    message: str = ""
    failures: int | None = None
    response: dict[str, Any] = field(default_factory=dict)
    depends_on: list[str] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)
    rows: int | None = None

    @property
    def started(self) -> datetime | None:
        """Return when dbt began with the node, or None if unknown."""
        return _time(self.compile_started or self.execute_started)

    @property
    def ended(self) -> datetime | None:
        """Return when the node ended, or None if it didn't."""
        return _time(self.execute_ended or self.compile_ended)

    @property
    def seconds(self) -> float:
        """Return the seconds from the node's start to its end; 0 if either is unknown."""
        return (self.ended - self.started) / timedelta(seconds=1) if self.started and self.ended else 0.0


@dataclass(frozen=True)
class RunRecord:
    """One dbt command.

    Attributes:
        run_id: dbt's invocation id.
        command: dbt's command, as in `build`. For `dbt retry`, it is the command that is tried again.
        arguments: the command as the user typed it, as in `dbt build --select fct_trips`.
        project: name of the dbt project.
        target: name of the target in the profile.
        started: start in UTC, as ISO 8601.
        ended: end in UTC; empty while the command runs, or if it was killed.
        success: whether the command succeeded; None while it runs, or if it was killed.
        process: id of dbt's process, to tell a running command from a killed one.
        process_started: start time of the process, in seconds since 1970.
        threads: the number of threads.
        versions: versions by name: `dbt`, `penstock`, `spark`.
        nodes: the nodes, by unique id, in the order in which they started.
        node_count: the number of nodes that the command selected; hooks don't count.
    """

    run_id: str
    command: str
    arguments: str
    project: str
    target: str
    started: str
    ended: str = ""
    success: bool | None = None
    process: int = 0
    process_started: float = 0.0
    threads: int = 1
    versions: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, NodeRun] = field(default_factory=dict)
    node_count: int = 0

    @property
    def is_running(self) -> bool:
        """Return whether the command is running. A killed command is not running, although its record has no end."""
        return not self.ended and Process(self.process, self.process_started).handle() is not None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {**vars(self), "nodes": {name: vars(node) for name, node in self.nodes.items()}}


def parse(data: Mapping[str, Any]) -> RunRecord:
    """Return the record in parsed JSON.

    Raises:
        TypeError, KeyError: the JSON isn't a record of this version of penstock.
    """
    nodes = {name: NodeRun(**node) for name, node in data["nodes"].items()}
    return RunRecord(**{**data, "nodes": nodes})


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
