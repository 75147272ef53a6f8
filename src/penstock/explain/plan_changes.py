"""Compare two explanations of a model: joins, shuffles and pruned partitions that differ, and ignored hints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from penstock.explain import sentences
from penstock.explain.explanation import ExchangeFact, Explanation, JoinFact, ScanFact, SideFact

JOIN, EXCHANGE, PRUNING, HINT = "join", "exchange", "pruning", "hint"
NOT_NULL = re.compile(r"^isnotnull\(", re.IGNORECASE)
OPERATOR_NUMBER = re.compile(r" \d+$")


@dataclass(frozen=True)
class PlanChange:
    """One difference between two plans of a model.

    Attributes:
        kind: `join`, `exchange`, `pruning` or `hint`.
        subject: what changes, as in ``join of `trips` and `zones` (warehouse.dim_zones)``.
        before: what the earlier plan does; empty if the earlier plan has no such part.
        after: what the later plan does; empty if the later plan has no such part.
    """

    kind: str
    subject: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.before and self.after:
            return f"{self.subject}: {self.before} → {self.after}"
        return f"{self.subject}: {self.after or f'gone, was {self.before}'}"


def compare(before: Explanation, after: Explanation) -> tuple[PlanChange, ...]:
    """Return the differences between two plans of a model, in the order joins, exchanges, pruning, hints.

    Compare plans of the same stage: two outputs of EXPLAIN, or two plans that ran. Adaptive execution changes joins
    and shuffles while a statement runs, so an output of EXPLAIN and a plan that ran differ for the same code.

    Args:
        before: the earlier plan.
        after: the later plan.
    """
    return (
        *_join_changes(before.joins, after.joins),
        *_exchange_changes(before.exchanges, after.exchanges),
        *_lost_pruning(before.scans, after.scans),
        *_newly_ignored_hints(before, after),
    )


def ignored_hints(explanation: Explanation) -> tuple[PlanChange, ...]:
    """Return the join hints of a plan that Spark ignores, for a model without an earlier plan."""
    return tuple(
        PlanChange(HINT, f"hint {hint}", after=f"Spark ignores it: {join.kind}, {join.type}")
        for join in explanation.joins
        for hint in join.ignored_hints
    )


def _newly_ignored_hints(before: Explanation, after: Explanation) -> Iterator[PlanChange]:
    known = {change.subject for change in ignored_hints(before)}
    return (change for change in ignored_hints(after) if change.subject not in known)


def _join_changes(before: Sequence[JoinFact], after: Sequence[JoinFact]) -> Iterator[PlanChange]:
    """Yield the joins whose strategy or type changes. Joins with the same sides and keys are compared first."""
    rest_before, rest_after = list(before), list(after)
    identities: tuple[Callable[[JoinFact], Hashable], ...] = (_sides_and_keys, _sides, _left_right)
    for identity in identities:
        for old, new in _pairs(rest_before, rest_after, identity):
            rest_before.remove(old)
            rest_after.remove(new)
            if _strategy(old) != _strategy(new):
                yield PlanChange(JOIN, _join_subject(new, old), _strategy(old), _strategy(new))
    yield from (PlanChange(JOIN, _join_subject(old), before=_strategy(old)) for old in rest_before)
    yield from (PlanChange(JOIN, f"new {_join_subject(new)}", after=_strategy(new)) for new in rest_after)


def _pairs(
    before: Sequence[JoinFact], after: Sequence[JoinFact], identity: Callable[[JoinFact], Hashable]
) -> list[tuple[JoinFact, JoinFact]]:
    """Return the pairs of joins with the same identity, in the order of the plans."""
    waiting = list(after)
    found = []
    for old in before:
        new = next((item for item in waiting if identity(item) == identity(old)), None)
        if new is not None:
            waiting.remove(new)
            found.append((old, new))
    return found


def _sides(join: JoinFact) -> Hashable:
    """Return the tables of both sides. Which side is the left one doesn't matter, because Spark may swap them."""
    return frozenset(Counter((join.left.tables, join.right.tables)).items())


def _left_right(join: JoinFact) -> Hashable:
    """Return the aliases of both sides, for a join whose sides read other tables than before."""
    names = (join.left.alias, join.right.alias)
    return frozenset(names) if any(names) else join


def _sides_and_keys(join: JoinFact) -> Hashable:
    return _sides(join), frozenset(frozenset(part.split(" = ")) for part in join.on)


def _strategy(join: JoinFact) -> str:
    built = {"left": join.left, "right": join.right}.get(join.built) if join.kind.startswith("broadcast") else None
    of = f" of {_side(built)}" if built else ""
    return f"{join.kind}{of}, {join.type}"


def _join_subject(join: JoinFact, other: JoinFact | None = None) -> str:
    """Return the name of a join. A side without an alias takes the alias that it has in the other plan."""
    sides = [join.left, join.right]
    if other is not None:
        named = {side.tables: side for side in (other.left, other.right) if side.alias}
        taken = {side.alias for side in sides}
        sides = [side if side.alias else _renamed(side, named.get(side.tables), taken) for side in sides]
    on = f" on {' and '.join(join.on)}" if join.on else ""
    return f"join of {' and '.join(map(_side, sides))}{on}"


def _renamed(side: SideFact, named: SideFact | None, taken: Iterable[str]) -> SideFact:
    return named if named and named.alias not in taken else side


def _side(side: SideFact) -> str:
    tables = ", ".join(side.tables)
    return f"`{side.alias}` ({tables})" if side.alias and tables else tables or side.alias or "rows of the query itself"


def _exchange_changes(before: Sequence[ExchangeFact], after: Sequence[ExchangeFact]) -> Iterator[PlanChange]:
    then, now = Counter(map(_exchange, before)), Counter(map(_exchange, after))
    for text, number in sorted((now - then).items()):
        yield PlanChange(EXCHANGE, sentences.plural(number, "more exchange"), after=text)
    for text, number in sorted((then - now).items()):
        yield PlanChange(EXCHANGE, sentences.plural(number, "exchange"), before=text)


def _exchange(exchange: ExchangeFact) -> str:
    keys = f" by {', '.join(exchange.keys)}" if exchange.keys else ""
    rows = f" of {', '.join(exchange.tables)}" if exchange.tables else ""
    return f"{exchange.partitioning}{keys}{rows}, for {OPERATOR_NUMBER.sub('', exchange.asked_by)}"


def _lost_pruning(before: Sequence[ScanFact], after: Sequence[ScanFact]) -> Iterator[PlanChange]:
    """Yield the tables for which the later plan has more scans that read all partitions."""
    tables = dict.fromkeys(scan.table for scan in before if _partition_filters(scan))
    for table in tables:
        then, now = _unpruned(before, table), _unpruned(after, table)
        if now > then:
            filters = next(text for scan in before if scan.table == table and (text := _partition_filters(scan)))
            scans = "all partitions" if now == 1 else f"all partitions in {now} scans"
            yield PlanChange(PRUNING, f"partitions of {table}", f"pruned by {filters}", f"reads {scans}")


def _unpruned(scans: Sequence[ScanFact], table: str) -> int:
    return sum(scan.table == table and not _partition_filters(scan) for scan in scans)


def _partition_filters(scan: ScanFact) -> str:
    """Return the filters that skip partitions, without `isnotnull`, which skips hardly any partitions."""
    return " and ".join(item for item in scan.partition_filters if not NOT_NULL.match(item))
