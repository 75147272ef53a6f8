"""Send OpenLineage events while a dbt command runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from dbt.adapters.penstock.run_records.event_sender import EventSender
from dbt.adapters.penstock.run_records.node_runs import BUILDING
from penstock.runs.run_record import NodeRun, RunRecord

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

    from dbt.adapters.penstock.run_records.lineage_events import LineageEvents

# Nodes that have events. Unit tests and hooks read and write no datasets.
WITH_EVENTS = (*BUILDING, "test")
FAILED = ("error", "fail", "runtime error", "partial success")
NOT_RUN = ("skipped", "no-op", "reused")


class LineageObserver:
    """Sends the events of a dbt command. The events themselves are created on the sender's thread.

    Args:
        sender: sends the events.
        events: returns the creator of a command's events. The call imports the OpenLineage client.
        wait_for_plan: waits until a node's executed plan is stored. The plan has the number of rows that the node
            wrote.
    """

    def __init__(
        self,
        sender: EventSender,
        events: Callable[[RunRecord], LineageEvents],
        wait_for_plan: Callable[[str], None],
    ) -> None:
        self._sender, self._make_events, self._wait_for_plan = sender, events, wait_for_plan
        self._record: RunRecord | None = None
        self._started: dict[str, NodeRun] = {}

    @cached_property
    def _events(self) -> LineageEvents:
        assert self._record is not None
        return self._make_events(self._record)

    def command_started(self, record: RunRecord) -> None:
        """Send the start of the command."""
        self._record = record
        self._sender.send(lambda: self._command("START", record.started))

    def node_started(self, node: NodeRun) -> None:
        """Send nothing yet, because dbt may skip the node."""

    def node_changed(self, node: NodeRun) -> None:
        """Send the start of a node."""
        if node.resource_type in WITH_EVENTS:
            self._started[node.unique_id] = node
            self._sender.send(partial(self._node, "START", node, node.compile_started))

    def node_finished(self, node: NodeRun) -> None:
        """Send the end of a node. If the node failed to compile, send its start first, since it was not sent yet."""
        if node.resource_type not in WITH_EVENTS or node.status in NOT_RUN:
            return
        if node.unique_id not in self._started:
            self.node_changed(node)
        del self._started[node.unique_id]
        state = "FAIL" if node.status in FAILED else "COMPLETE"
        self._sender.send(partial(self._node, state, node, node.execute_ended or node.compile_ended))

    def command_finished(self, record: RunRecord) -> None:
        """Send the end of interrupted nodes and of the command, and wait until all events are sent."""
        for name in self._started:
            self._sender.send(partial(self._node, "ABORT", record.nodes[name], record.ended))
        self._sender.send(lambda: self._command("COMPLETE" if record.success else "FAIL", record.ended))
        self._sender.close()

    def _command(self, state: str, time: str) -> RunEvent:
        from openlineage.client.event_v2 import RunState

        return self._events.command(RunState[state], time)

    def _node(self, state: str, node: NodeRun, time: str) -> RunEvent:
        from openlineage.client.event_v2 import RunState

        if state == "COMPLETE":
            self._wait_for_plan(node.unique_id)
        return self._events.node(RunState[state], node, time)
