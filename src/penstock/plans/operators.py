"""A physical plan as a tree of operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Operator:
    """One operator of a physical plan.

    Attributes:
        number: the operator's number in EXPLAIN FORMATTED; 0 for an operator that adaptive execution removed.
        name: the operator's name, as in `BroadcastHashJoin`, `Exchange`, `Scan`.
        title: the operator's whole line, as in `BroadcastHashJoin LeftOuter BuildRight`.
        details: the operator's details in EXPLAIN FORMATTED: `Left keys`, `Arguments`, `PartitionFilters` …
        children: the operator's inputs, the left one first.
        statistics: statistics of a finished query stage, as Spark writes them (`sizeInBytes=… , rowCount=…`).
    """

    number: int
    name: str
    title: str
    details: dict[str, str] = field(default_factory=dict)
    children: tuple[Operator, ...] = ()
    statistics: str = ""

    def walk(self) -> Iterator[Operator]:
        """Yield this operator and all operators below it, from the top down, left before right."""
        yield self
        for child in self.children:
            yield from child.walk()

    def detail(self, name: str) -> str:
        """Return a detail, or an empty string if the operator doesn't have it."""
        return self.details.get(name, "")


@dataclass(frozen=True)
class Plan:
    """The physical plan of a statement.

    Attributes:
        root: the plan that ran, or that Spark would run.
        initial: the plan before adaptive execution; None if Spark adapted nothing or didn't run the plan.
        subqueries: the plans of scalar subqueries, in Spark's order.
        is_final: whether Spark ran the plan.
    """

    root: Operator
    initial: Operator | None = None
    subqueries: tuple[Operator, ...] = ()
    is_final: bool = False

    def walk(self) -> Iterator[Operator]:
        """Yield every operator of the plan and its subqueries."""
        yield from self.root.walk()
        for tree in self.subqueries:
            yield from tree.walk()

    def initial_plan(self) -> Plan:
        """Return the plan before adaptive execution, or this plan if nothing was adapted."""
        return Plan(self.initial) if self.initial else self

    def by_number(self) -> dict[int, Operator]:
        """Return every operator by its number, including operators of the initial plan."""
        initial = self.initial.walk() if self.initial else ()
        return {item.number: item for items in (initial, self.walk()) for item in items}
