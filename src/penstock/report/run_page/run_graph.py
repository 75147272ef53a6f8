"""The order of a command's nodes: what each node waited for, how long it queued, and the critical path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from penstock.runs.run_record import NodeRun, RunRecord

# dbt runs the tests of a node before the nodes below it only in this command.
BUILD = "build"
TESTS = ("test", "unit_test")


class RunGraph:
    """The nodes of a dbt command and what they waited for.

    Args:
        record: the command's record.
        parents: the parents of the project's nodes by unique id, for nodes that the record lacks, such as ephemeral
            models. The record's own parents take precedence.
    """

    def __init__(self, record: RunRecord, parents: Mapping[str, Sequence[str]]) -> None:
        self._record = record
        self._parents = {**parents, **{name: node.depends_on for name, node in record.nodes.items()}}
        self._ancestors: dict[str, frozenset[str]] = {}

    def blockers(self, unique_id: str) -> set[str]:
        """Return the nodes of the command that had to end before a node could start.

        In `dbt build`, these are its parents, and the tests that read nothing but nodes above it.
        """
        blockers = self._nearest_in_run(unique_id)
        node = self._record.nodes[unique_id]
        if self._record.command == BUILD and node.resource_type not in TESTS:
            above = self._all_above(unique_id)
            tests = {test for parent in blockers for test in self._tests_of.get(parent, ())}
            blockers |= {test for test in tests if set(self._parents[test]) <= above}
        return blockers

    @cached_property
    def _tests_of(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, node in self._record.nodes.items():
            for parent in node.depends_on if node.resource_type in TESTS else ():
                found.setdefault(parent, []).append(name)
        return found

    def _nearest_in_run(self, unique_id: str) -> set[str]:
        """Return the nearest nodes above a node that the command ran; ephemeral models don't run."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = list(self._parents.get(unique_id, ()))
        while waiting:
            name = waiting.pop()
            if name in self._record.nodes:
                found.add(name)
            elif name not in seen:
                seen.add(name)
                waiting.extend(self._parents.get(name, ()))
        return found

    def _all_above(self, unique_id: str) -> frozenset[str]:
        if unique_id not in self._ancestors:
            above: set[str] = set()
            waiting = list(self._parents.get(unique_id, ()))
            while waiting:
                name = waiting.pop()
                if name not in above:
                    above.add(name)
                    waiting.extend(self._parents.get(name, ()))
            self._ancestors[unique_id] = frozenset(above)
        return self._ancestors[unique_id]

    @cached_property
    def first_start(self) -> datetime | None:
        """Return when the first node started; None if none did."""
        return min((node.started for node in self._record.nodes.values() if node.started), default=None)

    def queue_seconds(self, unique_id: str) -> float | None:
        """Return the seconds from the end of the last blocker to the node's start; None if it didn't start.

        For a node without blockers, the seconds count from the start of the command's first node.
        """
        started, ready = self._record.nodes[unique_id].started, self._last_end(unique_id) or self.first_start
        return max(0.0, (started - ready) / timedelta(seconds=1)) if started and ready else None

    def _last_end(self, unique_id: str) -> datetime | None:
        ends = (self._record.nodes[name].ended for name in self.blockers(unique_id))
        return max((end for end in ends if end), default=None)

    def critical_path(self) -> list[str]:
        """Return the nodes that determined the command's duration, the first one first.

        The path ends at the node that ended last. Before each node stands its blocker that ended last.
        """
        ended = {name: node for name, node in self._record.nodes.items() if _ran(node)}
        path: list[str] = []
        candidates = set(ended)
        while candidates:
            last = max(candidates, key=lambda name: (ended[name].ended or datetime.min, name))
            path.append(last)
            candidates = (self.blockers(last) & ended.keys()) - set(path)
        return path[::-1]


def _ran(node: NodeRun) -> bool:
    return node.started is not None and node.ended is not None and node.status != "skipped"
