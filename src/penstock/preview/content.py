"""The content of a preview as plain values, for the terminal, the page and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from penstock.explain.plan_changes import PlanChange

VERSION = 1


class Kind(str, Enum):
    """A kind of change, as `--fail-on` names it."""

    NEW = "new"
    CHANGED = "changed"
    REBUILD = "rebuild"
    JOIN = "join"
    EXCHANGE = "exchange"
    PRUNING = "pruning"
    HINT = "hint"
    STALE = "stale"


class Code(str, Enum):
    """Whether a node's code has changed."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"


class Action(str, Enum):
    """What the next run would do with a node."""

    CREATE = "create"
    REBUILD = "rebuild"
    INTERVALS = "intervals"
    ADD_ROWS = "add rows"
    REPLACE_VIEW = "replace view"
    LOAD = "load seed"
    SNAPSHOT = "snapshot"
    RUN = "run"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StaleInterval:
    """An interval that the next run would build or remove.

    Attributes:
        interval: the interval, `2024-01` or `2024-01-31`.
        reason: why it would be built, in the words of the interval planner.
    """

    interval: str
    reason: str


@dataclass(frozen=True)
class Estimate:
    """An expected number, from the numbers of earlier runs.

    Attributes:
        median: the median; for several intervals, the median of one interval times their number.
        low: the smallest number of an earlier run, times the number of intervals.
        high: the largest number of an earlier run, times the number of intervals.
        runs: how many earlier commits or runs the estimate is from.
    """

    median: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True)
class Expected:
    """What a node is expected to write, and how long its run takes. None means that there is no history."""

    rows: Estimate | None = None
    bytes: Estimate | None = None
    seconds: Estimate | None = None


@dataclass(frozen=True)
class NodePreview:
    """What the next run would do with one model, seed or snapshot.

    Attributes:
        unique_id: dbt's unique id.
        name: dbt's name.
        resource_type: `model`, `seed` or `snapshot`.
        materialized: the materialization.
        language: `sql` or `python`.
        relation: the table or view, `schema.table`.
        code: whether the code is new or changed.
        action: what the run would do.
        reason: why the run would do this; empty if the action needs no reason, or if each interval has its own reason.
        intervals: the intervals that the run would build.
        inputs: the relations that the node reads.
        downstream_of: the new and changed models of this run that the node reads, directly or through other nodes.
        expected: rows, bytes and seconds from history.
        plan_changes: how the plan would differ from the plan of the last run.
        plan: `same`, `changed`, `new` if there is no plan to compare with, `not compared`, or empty for a node
            without a plan, such as a view.
        notes: other facts that the reader should know.
    """

    unique_id: str
    name: str
    resource_type: str
    materialized: str
    language: str
    relation: str
    code: Code
    action: Action = Action.UNKNOWN
    reason: str = ""
    intervals: tuple[StaleInterval, ...] = ()
    inputs: tuple[str, ...] = ()
    downstream_of: tuple[str, ...] = ()
    expected: Expected = Expected()
    plan_changes: tuple[PlanChange, ...] = ()
    plan: str = ""
    notes: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds of change of this node, in the order of `Kind`."""
        found = {Kind(change.kind) for change in self.plan_changes}
        found |= {Kind(self.code.value)} if self.code in (Code.NEW, Code.CHANGED) else set()
        found |= {Kind.REBUILD} if self.action is Action.REBUILD else set()
        found |= {Kind.STALE} if self.intervals else set()
        return tuple(kind for kind in Kind if kind in found)

    @property
    def is_idle(self) -> bool:
        """Return whether the run would do nothing with the node, and no change or note is to be shown."""
        return self.action is Action.NOTHING and not (self.kinds or self.notes or self.downstream_of)


@dataclass(frozen=True)
class Preview:
    """What the next run would do.

    Attributes:
        project: name of the dbt project.
        target: name of the target.
        compared_with: `the last run`, or the state folder.
        nodes: the selected nodes, in the order of the graph.
        not_selected: names of the nodes that are downstream of new and changed models, but are not selected.
    """

    project: str
    target: str
    compared_with: str
    nodes: tuple[NodePreview, ...]
    not_selected: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kinds of change that occur, in the order of `Kind`."""
        found = {kind for node in self.nodes for kind in node.kinds}
        return tuple(kind for kind in Kind if kind in found)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Return the names of the nodes with a kind of change."""
        return tuple(node.name for node in self.nodes if kind in node.kinds)

    @property
    def expected(self) -> Expected:
        """Return the sums over all nodes with history."""
        return Expected(
            _total(node.expected.rows for node in self.nodes),
            _total(node.expected.bytes for node in self.nodes),
            _total(node.expected.seconds for node in self.nodes),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the preview as JSON values."""
        nodes = [{**asdict(node), "kinds": node.kinds} for node in self.nodes]
        kinds = {kind.value: self.names(kind) for kind in self.kinds}
        return {"version": VERSION, **asdict(self), "nodes": nodes, "kinds": kinds, "expected": asdict(self.expected)}


def _total(estimates: Iterable[Estimate | None]) -> Estimate | None:
    known = list(_known(estimates))
    if not known:
        return None
    low, high = sum(item.low for item in known), sum(item.high for item in known)
    return Estimate(sum(item.median for item in known), low, high, min(item.runs for item in known))


def _known(estimates: Iterable[Estimate | None]) -> Iterator[Estimate]:
    return (item for item in estimates if item is not None)
