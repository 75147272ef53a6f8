"""A physical plan as a tree of operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Operator:
    """One operator of a physical plan.

    Attributes:
        number: its number in EXPLAIN FORMATTED; 0 for one that adaptive execution did away with.
        name: the operator alone, as in `BroadcastHashJoin`, `Exchange`, `Scan`.
        title: all of its line, as in `BroadcastHashJoin LeftOuter BuildRight`.
        details: what EXPLAIN FORMATTED lists of it: `Left keys`, `Arguments`, `PartitionFilters` …
        children: its inputs, the left one first.
        statistics: of a finished query stage, as Spark writes them (`sizeInBytes=… , rowCount=…`).
    """

    number: int
    name: str
    title: str
    details: dict[str, str] = field(default_factory=dict)
    children: tuple[Operator, ...] = ()
    statistics: str = ""

    def walk(self) -> Iterator[Operator]:
        """Itself and everything below, from the top down, left before right."""
        yield self
        for child in self.children:
            yield from child.walk()

    def detail(self, name: str) -> str:
        """One of the details; empty when there is none."""
        return self.details.get(name, "")


@dataclass(frozen=True)
class Plan:
    """A statement's plan.

    Attributes:
        root: the plan as it ran, or as it is planned.
        initial: what adaptive execution began with; None when nothing was adapted, or nothing ran.
        subqueries: the plans of scalar subqueries, in Spark's order.
        is_final: whether Spark ran it: adaptive execution has decided all it could.
    """

    root: Operator
    initial: Operator | None = None
    subqueries: tuple[Operator, ...] = ()
    is_final: bool = False

    def walk(self) -> Iterator[Operator]:
        """Every operator of the plan and its subqueries."""
        yield from self.root.walk()
        for tree in self.subqueries:
            yield from tree.walk()

    def before(self) -> Plan:
        """The plan before adaptive execution; itself when there is no other."""
        return Plan(self.initial) if self.initial else self

    def by_number(self) -> dict[int, Operator]:
        """Every operator by its number, those of the initial plan included."""
        more = self.initial.walk() if self.initial else ()
        return {item.number: item for items in (more, self.walk()) for item in items}
