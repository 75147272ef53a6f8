"""Check assertions on a plan. A check returns a three-part message for each failure, or an empty list if it passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from penstock.errors import render
from penstock.plans import queries, query_text
from penstock.plans.operators import Plan
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.queries import Join
from penstock.plans.query_text import JoinSide

Check = Callable[..., list[str]]
# The clause of a join side that a test names by its table instead of its alias.
ANY_CLAUSE = "any"


def _describe_joins(plan: Plan) -> str:
    return "; ".join(str(join) for join in queries.joins(plan)) or "no join at all"


def broadcasts(captured: CapturedPlan, plan: Plan, side: str) -> list[str]:
    """Check that a side of a join is broadcast.

    Args:
        side: an alias of the model's query, or a table that it reads (`dim_zones`, `warehouse.dim_zones`).
    """
    views = {view: frozenset(tables) for view, tables in captured.views.items()}
    try:
        all_sides = query_text.join_sides(captured.sql, views) if captured.sql else []
    except query_text.QueryParseError:
        all_sides = []
    sides = [item for item in all_sides if item.alias.casefold() == side.casefold()]
    if not sides:
        all_joins = (*queries.joins(plan), *queries.joins(plan.initial_plan()))
        joined = {table for join in all_joins for table in (*join.left, *join.right)}
        tables = frozenset(table for table in joined if side.lower() in (table, table.rsplit(".", 1)[-1]))
        if not tables:
            known = sorted({item.alias for item in all_sides} | joined)
            found = f"sides and tables {', '.join(known)}" if known else "no join"
            return [render(f"`{side}` as a side of a join in {captured.name}", found, "name one of these as side")]
        sides = [JoinSide(side, tables, ANY_CLAUSE)]
    return [message for item in sides for message in _check_broadcast(captured, plan, item)]


def _check_broadcast(captured: CapturedPlan, plan: Plan, side: JoinSide) -> list[str]:
    # Adaptive execution removes a join without rows. The initial plan still has this join.
    joins = _joins_of(plan, side) or _joins_of(plan.initial_plan(), side)
    needed = f"a broadcast of `{side.alias}` in {captured.name}"
    if not joins:
        found = f"no join with it; {_describe_joins(plan)} in {captured.source}"
        return [render(needed, found, "name the side as the query does")]
    if any(join.is_broadcast and join.built in (_position(join, side), "") for join in joins):
        return []
    described = "; ".join(f"{join}{_built_side(join)}" for join in joins)
    hint = f", by the hint {side.hint}" if side.hint and side.hint != "broadcast" else ""
    found = f"{described}{hint} in {captured.source}"
    do = f"write `{{{{ hints(broadcast('{side.alias}')) }}}}` after `select` in that query"
    return [render(needed, found, do, entry="a-join-isnt-broadcast")]


def _built_side(join: Join) -> str:
    """Return which side a broadcast join broadcasts, with its tables, as the end of a sentence."""
    if not join.is_broadcast:
        return ""
    tables = ", ".join(sorted({"left": join.left, "right": join.right}.get(join.built, frozenset())))
    return f", which broadcasts the {join.built} side{f' ({tables})' if tables else ''}"


def _position(join: Join, side: JoinSide) -> str:
    """Return the position of a side in a join: `left` or `right`. An ANY_CLAUSE side is found by its tables."""
    if side.clause == ANY_CLAUSE:
        return "left" if side.tables <= join.left and not side.tables <= join.right else "right"
    return "left" if side.clause == "from" else "right"


def _joins_of(plan: Plan, side: JoinSide) -> list[Join]:
    joins = queries.joins(plan)
    if side.clause == ANY_CLAUSE:
        return [join for join in joins if side.tables in (join.left, join.right)]
    of_tables = [join for join in joins if side.tables == (join.left if side.clause == "from" else join.right)]
    # If several sides read the same tables, the join keys distinguish these sides.
    of_keys = [join for join in of_tables if side.keys and all(_has(join.right_keys, name) for name in side.keys)]
    return of_keys or of_tables


def _has(keys: tuple[str, ...], column: str) -> bool:
    return any(re.search(rf"\b{re.escape(column)}\b", key, re.IGNORECASE) for key in keys)


def exchanges_at_most(captured: CapturedPlan, plan: Plan, n: int) -> list[str]:
    """Check that the plan has at most `n` exchanges."""
    exchanges = queries.exchanges(plan)
    if len(exchanges) <= n:
        return []
    return [
        render(
            f"at most {n} exchanges in {captured.name}",
            f"{len(exchanges)} in {captured.source}: {'; '.join(map(str, exchanges))}",
            "broadcast the small side of a join, group by the keys that it is joined by, or raise n",
        )
    ]


def reads_columns_at_most(captured: CapturedPlan, plan: Plan, n: int, table: str | None = None) -> list[str]:
    """Check that each scan reads at most `n` columns.

    Args:
        table: check only the scans of this table, named with or without its schema.
    """
    scans = queries.scans(plan) or queries.scans(plan.initial_plan())
    if table:
        tables = {scan.table for scan in scans}
        scans = [scan for scan in scans if table.lower() in (scan.table, scan.table.rsplit(".", 1)[-1])]
        if not scans:
            found = f"scans of {', '.join(sorted(tables)) or 'nothing'} in {captured.source}"
            return [render(f"a scan of {table} in {captured.name}", found, "name a table that the plan reads")]
    return [
        render(
            f"at most {n} columns read of {scan.table} in {captured.name}",
            f"{len(scan.columns)} in {scan.operator.name}: {', '.join(scan.columns)}",
            "select only the columns that are used, or raise n",
        )
        for scan in scans
        if len(scan.columns) > n
    ]


def has_no_cartesian(captured: CapturedPlan, plan: Plan) -> list[str]:
    """Check that no join pairs every row with every row."""
    return [
        render(
            f"no cartesian product in {captured.name}",
            f"{join} of {_describe_sides(join)} in {captured.source}",
            "join on a condition, at best on equal columns",
            entry="a-join-compares-all-rows-with-all-rows",
        )
        for join in queries.cartesian_joins(plan)
    ]


def _describe_sides(join: Join) -> str:
    return " and ".join(", ".join(sorted(side)) or "rows of the query itself" for side in (join.left, join.right))


def has_no_single_partition_window(captured: CapturedPlan, plan: Plan) -> list[str]:
    """Check that no window function sends all rows to one task."""
    return [
        render(
            f"no window over one single partition in {captured.name}",
            f"{item.name} {queries.without_column_ids(item.detail('Arguments'))} below Exchange SinglePartition "
            f"in {captured.source}",
            "give the window a `partition by`",
        )
        for item in queries.single_partition_windows(plan)
    ]


def prunes_partitions(relation: str, plan: Plan, column: str) -> list[str]:
    """Check that a filter on a column skips whole partitions of a table.

    Args:
        relation: the table, for the message.
        plan: the plan of `select … from table where column = value`.
    """
    scans = queries.scans(plan)
    pattern = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
    if any(pattern.search(item) for scan in scans for item in scan.partition_filters):
        return []
    found = "; ".join(
        f"{scan.operator.title} with PartitionFilters [{', '.join(scan.partition_filters)}]"
        f" and PushedFilters [{', '.join(scan.pushed_filters)}]"
        for scan in scans
    )
    return [
        render(
            f"a filter on {column} to prune partitions of {relation}",
            found or f"no scan of files; {plan.root.title}",
            f"partition the table by {column} (monthly_partitions('{column}'))",
        )
    ]


CHECKS: Mapping[str, Check] = {
    "plan_broadcasts": broadcasts,
    "plan_exchanges_at_most": exchanges_at_most,
    "plan_reads_columns_at_most": reads_columns_at_most,
    "plan_has_no_cartesian": has_no_cartesian,
    "plan_has_no_single_partition_window": has_no_single_partition_window,
}


def run(name: str, captured: CapturedPlan, plan: Plan, arguments: Mapping[str, Any]) -> list[str]:
    """Return the failure messages of one check on a captured plan."""
    return CHECKS[name](captured, plan, **arguments)
