"""Explain the joins of a plan: the alias of each side in the query, and the reasons for each join strategy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from penstock.explain.explanation import JoinFact, SideFact
from penstock.explain.keys import equalities, readable_condition
from penstock.explain.metrics import Metrics, byte_metric, count_metric
from penstock.explain.server_facts import ServerFacts, format_bytes
from penstock.plans import queries, query_text
from penstock.plans.operators import Operator, Plan
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.queries import Join
from penstock.plans.query_text import JoinSide

CAMEL_CASE_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")
STATISTICS = re.compile(r"sizeInBytes=(?P<bytes>[\d.,]+ \w+)(?:, rowCount=(?P<rows>[\d.E+]+))?")
# The sides that Spark may broadcast, by join type. Other join types allow Spark to broadcast either side.
# Source: org.apache.spark.sql.catalyst.optimizer.JoinSelectionHelper.
BROADCASTABLE = {
    "LeftOuter": ("right",),
    "LeftSemi": ("right",),
    "LeftAnti": ("right",),
    "RightOuter": ("left",),
    "FullOuter": (),
}
# The operators that each join hint selects.
OPERATORS_BY_HINT = {
    "broadcast": ("BroadcastHashJoin", "BroadcastNestedLoopJoin"),
    "merge": ("SortMergeJoin",),
    "shuffle_hash": ("ShuffledHashJoin",),
    "shuffle_replicate_nl": ("CartesianProduct",),
}


def explain_joins(
    captured: CapturedPlan, plan: Plan, metrics: Mapping[int, Metrics], server: ServerFacts
) -> list[JoinFact]:
    """Return the facts of every join, the outermost first."""
    joins = queries.joins(plan)
    initial = queries.joins(plan.initial_plan()) if plan.initial else []
    matched = _match_sides(joins, _query_sides(captured, server))
    return [
        _join(join, left, right, initial, metrics, server) for join, (left, right) in zip(joins, matched, strict=True)
    ]


def _query_sides(captured: CapturedPlan, server: ServerFacts) -> list[JoinSide]:
    """Return the join sides of the views that the query reads, followed by the join sides of the query."""
    views = {view: frozenset(tables) for view, tables in captured.views.items()}
    sides: list[JoinSide] = []
    for text in (*(server.view_query(name) for name in reversed(captured.views)), captured.sql):
        with suppress(query_text.QueryParseError):
            sides += query_text.join_sides(text, views) if text else []
    return sides


def _match_sides(joins: list[Join], sides: list[JoinSide]) -> list[tuple[JoinSide | None, JoinSide | None]]:
    """Return the query's left and right side for each join of the plan. A side is None if unknown.

    `joins` ends with the innermost join, and `sides` begins with the innermost query. Matching therefore
    begins with the innermost join. Each side is used once, so that two joins of the same tables keep
    separate aliases.
    """
    unused = [position for position, side in enumerate(sides) if side.clause != "from"]
    matched: list[tuple[JoinSide | None, JoinSide | None]] = []
    for join in reversed(joins):
        same_tables = [p for p in unused if join.right and sides[p].tables == join.right]
        keys = {key.casefold() for key in join.right_keys}
        same_keys = (p for p in same_tables if sides[p].keys and sides[p].keys <= keys)
        position = next(same_keys, same_tables[0] if same_tables else None)
        if position is None:
            matched.append((None, None))
            continue
        unused.remove(position)
        start = max((p for p in range(position) if sides[p].clause == "from"), default=position)
        left = sides[start] if start < position and sides[start].tables == join.left else None
        matched.append((left, sides[position]))
    return matched[::-1]


def _join(
    join: Join,
    left: JoinSide | None,
    right: JoinSide | None,
    initial: list[Join],
    metrics: Mapping[int, Metrics],
    server: ServerFacts,
) -> JoinFact:
    item = join.operator
    sides = {
        "left": _side(item, 0, join.left, left, metrics, server),
        "right": _side(item, 1, join.right, right, metrics, server),
    }
    on = equalities(join.left_keys, join.right_keys)
    return JoinFact(
        number=item.number,
        kind=join.kind,
        type=CAMEL_CASE_BOUNDARY.sub(" ", join.type.split("(")[0]).lower(),
        on=(*on, *((readable_condition(join.condition),) if join.condition else ())),
        built=join.built,
        left=sides["left"],
        right=sides["right"],
        rows=count_metric(metrics.get(item.number, {}), "number of output rows"),
        why=tuple(_reasons(join, sides, initial, server)),
        ignored_hints=tuple(_ignored_hints(join, sides)),
    )


def _side(
    join: Operator,
    child: int,
    tables: frozenset[str],
    side: JoinSide | None,
    metrics: Mapping[int, Metrics],
    server: ServerFacts,
) -> SideFact:
    rows, size = _exchanged(join.children[child], metrics) if child < len(join.children) else (None, None)
    names = tuple(sorted(tables))
    stored = server.table_detail(names[0]).bytes if len(names) == 1 else None
    return SideFact(side.alias if side else "", names, side.hint if side else "", rows, size, stored)


def _exchanged(item: Operator, metrics: Mapping[int, Metrics]) -> tuple[int | None, int | None]:
    """Return the rows and bytes of the nearest exchange below a join."""
    while True:
        own = metrics.get(item.number, {})
        if item.name.endswith("Exchange") and own:
            return count_metric(own, "number of output rows", "shuffle records written"), byte_metric(own, "data size")
        if item.name.endswith("QueryStage") and item.statistics and (match := STATISTICS.search(item.statistics)):
            below = metrics.get(item.children[0].number, {})
            rows = count_metric(below, "number of output rows", "shuffle records written")
            size = byte_metric({"data size": match["bytes"]}, "data size")
            return rows if rows is not None or not match["rows"] else int(float(match["rows"])), size
        if len(item.children) != 1:
            return None, None
        item = item.children[0]


def _reasons(join: Join, sides: Mapping[str, SideFact], initial: list[Join], server: ServerFacts) -> list[str]:
    """Return the reasons for the strategy of a join, the decisive one first."""
    name = join.operator.name
    followed = [f"the hint {hint}" for hint, is_followed in _hints(join, sides) if is_followed]
    ignored = [f"the hint {hint} could not be followed" for hint in _ignored_hints(join, sides)]
    reasons = [*followed[:1]]
    planned = _same_join(join, initial)
    if planned is not None and planned.operator.name != name:
        reasons.append(f"planned as a {planned.kind}; changed while it ran, when the real sizes were known")
    reasons += ignored
    if name == "BroadcastHashJoin" and not reasons:
        reasons.append(_below_threshold(sides.get(join.built), server))
    elif name == "BroadcastNestedLoopJoin":
        reasons.append(
            "its condition has no equal columns, so rows can't be looked up by a key"
            if join.condition
            else "it has no condition"
        )
    elif name == "CartesianProduct":
        reasons.append("it has no equal columns" if join.condition else "it has no condition")
    elif name in ("SortMergeJoin", "ShuffledHashJoin") and not followed:
        reasons += _reasons_against_broadcast(join, sides, server)
        if name == "ShuffledHashJoin" and planned is None:
            reasons.append(f"the {join.built} side is small enough to hash in each task")
    return reasons


def _hints(join: Join, sides: Mapping[str, SideFact]) -> list[tuple[str, bool]]:
    """Return (hint, whether the join has the strategy that the hint selects) of each side with a hint."""
    return [
        (f"{side.hint}({side.alias})", join.operator.name in OPERATORS_BY_HINT[side.hint])
        for side in sides.values()
        if side.hint
    ]


def _ignored_hints(join: Join, sides: Mapping[str, SideFact]) -> list[str]:
    """Return the hints that Spark could not follow.

    If Spark follows the hint of one side, this hint decides the strategy. The hint of the other side is then not
    returned.
    """
    hints = _hints(join, sides)
    return [] if any(is_followed for _, is_followed in hints) else [hint for hint, _ in hints]


def _below_threshold(side: SideFact | None, server: ServerFacts) -> str:
    stored = f", {format_bytes(side.stored)} as stored," if side and side.stored is not None else ""
    threshold = server.broadcast_threshold
    limit = f" ({format_bytes(threshold)})" if threshold and threshold > 0 else ""
    return f"Spark's estimate of that side{stored} is under spark.sql.autoBroadcastJoinThreshold{limit}"


def _reasons_against_broadcast(join: Join, sides: Mapping[str, SideFact], server: ServerFacts) -> list[str]:
    """Return the reasons why Spark broadcasts neither side of an equi-join."""
    positions = BROADCASTABLE.get(join.type.split("(")[0], ("left", "right"))
    if not positions:
        return ["a full outer join with equal columns can't broadcast a side"]
    limit = server.broadcast_threshold
    if limit is not None and limit <= 0:
        return ["spark.sql.autoBroadcastJoinThreshold is off"]
    subject = (
        "neither side is"
        if len(positions) == 2
        else f"only the {positions[0]} side may be broadcast here, and it isn't"
    )
    threshold = f"spark.sql.autoBroadcastJoinThreshold{f' ({format_bytes(limit)})' if limit else ''}"
    reasons = [f"{subject} estimated under {threshold}"]
    for position in positions:
        size = sides[position].bytes
        if limit and size is not None and size < limit:
            reasons.append(
                f"the {position} side turned out to be {format_bytes(size)}: a broadcast hint would avoid the shuffles"
            )
            break
    return reasons


def _same_join(join: Join, candidates: list[Join]) -> Join | None:
    """Return the join of the initial plan that has the same keys and tables, even if its sides are swapped."""
    sides = {(join.left_keys, join.left), (join.right_keys, join.right)}
    for other in candidates:
        if {(other.left_keys, other.left), (other.right_keys, other.right)} == sides:
            return other
    return None
