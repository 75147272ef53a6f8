"""The earlier runs of each node, from the records of earlier commands and from the run ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.runs.run_record import NodeRun, RunRecord

LIMIT = 20
NOT_RUN = ("skipped", "running")


@dataclass(frozen=True)
class PastRun:
    """One run of a node.

    Attributes:
        run_id: dbt's invocation id.
        started: start in UTC, as ISO 8601.
        seconds: duration.
        status: dbt's status.
    """

    run_id: str
    started: str
    seconds: float
    status: str


class NodeHistory:
    """The earlier runs of the nodes of one command.

    Args:
        record: the command.
        records: the records of all commands, the newest first. Commands of other targets are ignored.
        ledger: the runs of interval models from the run ledger, by relation. They replace records that were removed.
    """

    def __init__(
        self, record: RunRecord, records: Sequence[RunRecord], ledger: Mapping[str, Sequence[PastRun]]
    ) -> None:
        self._record, self._ledger = record, ledger
        self._earlier = [item for item in records if item.target == record.target and item.started < record.started]

    def earlier(self, unique_id: str) -> list[RunRecord]:
        """Return the earlier commands that ran a node, the newest first."""
        return [item for item in self._earlier if _ran(item.nodes.get(unique_id))]

    def runs(self, unique_id: str) -> list[PastRun]:
        """Return the last runs of a node including this command's, the oldest first."""
        node = self._record.nodes[unique_id]
        found = {
            item.run_id: PastRun(item.run_id, item.started, round(past.seconds, 3), past.status)
            for item in (self._record, *self._earlier)
            if (past := item.nodes.get(unique_id)) and _ran(past)
        }
        for past_run in self._ledger.get(node.relation, ()) if node.relation else ():
            if past_run.started < self._record.started:
                found.setdefault(past_run.run_id, past_run)
        return sorted(found.values(), key=lambda item: item.started)[-LIMIT:]


def _ran(node: NodeRun | None) -> bool:
    return node is not None and node.status not in NOT_RUN
