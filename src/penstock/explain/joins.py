"""Joins of a plan: the names their sides have in the query, and why Spark does each the way it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from penstock.explain.explanation import JoinFact, SideFact
from penstock.explain.keys import condition, equations
from penstock.explain.metrics import Counted, amount, count
from penstock.explain.server_facts import Server, size
from penstock.plans import queries, query_text
from penstock.plans.operators import Operator, Plan
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.queries import Join
from penstock.plans.query_text import JoinSide

CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
STATISTICS = re.compile(r"sizeInBytes=(?P<bytes>[\d.,]+ \w+)(?:, rowCount=(?P<rows>[\d.E+]+))?")
# The one side that each type of join lets Spark broadcast; a full outer join has none.
# Source: org.apache.spark.sql.catalyst.optimizer.JoinSelectionHelper.
BROADCASTABLE = {
    "LeftOuter": ("right",),
    "LeftSemi": ("right",),
    "LeftAnti": ("right",),
    "RightOuter": ("left",),
    "FullOuter": (),
}
# Which hint leads to which join.
OF_HINT = {
    "broadcast": ("BroadcastHashJoin", "BroadcastNestedLoopJoin"),
    "merge": ("SortMergeJoin",),
    "shuffle_hash": ("ShuffledHashJoin",),
    "shuffle_replicate_nl": ("CartesianProduct",),
}


def facts(kept: CapturedPlan, plan: Plan, counted: Mapping[int, Counted], server: Server) -> list[JoinFact]:
    """Every join, the outermost first."""
    joins = queries.joins(plan)
    before = queries.joins(plan.initial_plan()) if plan.initial else []
    named = _named(joins, _sides(kept, server))
    return [_fact(join, *named[place], before, counted, server) for place, join in enumerate(joins)]


def _sides(kept: CapturedPlan, server: Server) -> list[JoinSide]:
    """The sides of the query's joins, those of the views that it reads before its own."""
    views = {view: frozenset(tables) for view, tables in kept.views.items()}
    found: list[JoinSide] = []
    for text in (*(server.view(name) for name in reversed(kept.views)), kept.sql):
        with suppress(query_text.QueryParseError):
            found += query_text.join_sides(text, views) if text else []
    return found


def _named(joins: list[Join], sides: list[JoinSide]) -> list[tuple[JoinSide | None, JoinSide | None]]:
    """The sides of each join as the query has them: joins are paired from the innermost on.

    The plan's innermost join is the last of its list, the query's innermost sides are the first of
    theirs; a side is used once, so that two joins of the same tables keep their own names.
    """
    free = [place for place, side in enumerate(sides) if side.clause != "from"]
    found: list[tuple[JoinSide | None, JoinSide | None]] = []
    for join in reversed(joins):
        same = [p for p in free if join.right and sides[p].tables == join.right]
        keys = {key.casefold() for key in join.right_keys}
        place = next((p for p in same if sides[p].keys and sides[p].keys <= keys), same[0] if same else None)
        if place is None:
            found.append((None, None))
            continue
        free.remove(place)
        start = max((p for p in range(place) if sides[p].clause == "from"), default=place)
        left = sides[start] if start < place and sides[start].tables == join.left else None
        found.append((left, sides[place]))
    return found[::-1]


def _fact(
    join: Join,
    left: JoinSide | None,
    right: JoinSide | None,
    before: list[Join],
    counted: Mapping[int, Counted],
    server: Server,
) -> JoinFact:
    item = join.operator
    sides = {
        "left": _side(item, 0, join.left, left, counted, server),
        "right": _side(item, 1, join.right, right, counted, server),
    }
    on = equations(join.left_keys, join.right_keys)
    return JoinFact(
        item.number,
        join.kind,
        CAMEL.sub(" ", join.type.split("(")[0]).lower(),
        (*on, *((condition(join.condition),) if join.condition else ())),
        join.built,
        sides["left"],
        sides["right"],
        count(counted.get(item.number, {}), "number of output rows"),
        tuple(_why(join, sides, before, server)),
    )


def _side(
    item: Operator,
    place: int,
    tables: frozenset[str],
    side: JoinSide | None,
    counted: Mapping[int, Counted],
    server: Server,
) -> SideFact:
    rows, moved = _moved(item.children[place], counted) if place < len(item.children) else (None, None)
    names = tuple(sorted(tables))
    stored = server.detail(names[0]).bytes if len(names) == 1 else None
    return SideFact(side.alias if side else "", names, side.hint if side else "", rows, moved, stored)


def _moved(item: Operator, counted: Mapping[int, Counted]) -> tuple[int | None, int | None]:
    """Rows and bytes that the nearest exchange of a side moved."""
    while True:
        numbers = counted.get(item.number, {})
        if item.name.endswith("Exchange") and numbers:
            return count(numbers, "number of output rows", "shuffle records written"), amount(numbers, "data size")
        if item.name.endswith("QueryStage") and item.statistics and (found := STATISTICS.search(item.statistics)):
            rows = count(counted.get(item.children[0].number, {}), "number of output rows", "shuffle records written")
            moved = amount({"data size": found["bytes"]}, "data size")
            return rows if rows is not None or not found["rows"] else int(float(found["rows"])), moved
        if len(item.children) != 1:
            return None, None
        item = item.children[0]


def _why(join: Join, sides: Mapping[str, SideFact], before: list[Join], server: Server) -> list[str]:
    """Reasons for a join's kind, the deciding one first."""
    name = join.operator.name
    hints = [(place, side) for place, side in sides.items() if side.hint]
    followed = [f"the hint {side.hint}({side.alias})" for _, side in hints if name in OF_HINT[side.hint]]
    passed = [f"the hint {side.hint}({side.alias}) could not be followed" for _, side in hints if not followed]
    reasons = [*followed[:1]]
    planned = _same(join, before)
    if planned is not None and planned.operator.name != name:
        reasons.append(f"planned as a {planned.kind}; changed while it ran, when the real sizes were known")
    reasons += passed
    if name == "BroadcastHashJoin" and not reasons:
        side = sides.get(join.built)
        of = f", {size(side.stored)} as stored," if side and side.stored is not None else ""
        limit = f" ({size(server.threshold)})" if server.threshold and server.threshold > 0 else ""
        reasons.append(f"Spark's estimate of that side{of} is under spark.sql.autoBroadcastJoinThreshold{limit}")
    elif name == "BroadcastNestedLoopJoin":
        reasons.append(
            "its condition has no equal columns, so rows can't be looked up by a key"
            if join.condition
            else "it has no condition"
        )
    elif name == "CartesianProduct":
        reasons.append("it has no equal columns" if join.condition else "it has no condition")
    elif name in ("SortMergeJoin", "ShuffledHashJoin") and not followed:
        reasons += _not_broadcast(join, sides, server)
        if name == "ShuffledHashJoin" and planned is None:
            reasons.append(f"the {join.built} side is small enough to hash in each task")
    return reasons


def _not_broadcast(join: Join, sides: Mapping[str, SideFact], server: Server) -> list[str]:
    """Why no side of a join with equal columns is sent whole."""
    places = BROADCASTABLE.get(join.type.split("(")[0], ("left", "right"))
    if not places:
        return ["a full outer join with equal columns can't broadcast a side"]
    limit = server.threshold
    if limit is not None and limit <= 0:
        return ["spark.sql.autoBroadcastJoinThreshold is off"]
    which = "neither side" if len(places) == 2 else f"only the {places[0]} side may be broadcast here, and it"
    words = "is" if len(places) == 2 else "isn't"
    reasons = [
        f"{which} {words} estimated under spark.sql.autoBroadcastJoinThreshold{f' ({size(limit)})' if limit else ''}"
    ]
    for place in places:
        moved = sides[place].bytes
        if limit and moved is not None and moved < limit:
            reasons.append(
                f"the {place} side turned out to be {size(moved)}: a broadcast hint would spare the shuffles"
            )
            break
    return reasons


def _same(join: Join, among: list[Join]) -> Join | None:
    """A join in the plan before adaptive execution: of the same keys and tables."""
    for other in among:
        mine = {(join.left_keys, join.left), (join.right_keys, join.right)}
        if {(other.left_keys, other.left), (other.right_keys, other.right)} == mine:
            return other
    return None
