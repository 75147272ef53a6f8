"""The tests of a plan: each gives the messages of what fails, in three parts; none means that it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from penstock.plans import queries, query_text
from penstock.plans.operators import Plan
from penstock.plans.plan_store import Kept
from penstock.plans.queries import Join

Check = Callable[..., list[str]]


def _said(needed: str, found: str, do: str) -> str:
    return f"needed: {needed}. found: {found}. do: {do}"


def _all_joins(plan: Plan) -> str:
    return "; ".join(str(item) for item in queries.joins(plan)) or "no join at all"


def broadcasts(kept: Kept, plan: Plan, side: str) -> list[str]:
    """That a side of a join is sent whole to every task.

    Args:
        side: an alias of the model's query, or a table it reads (`dim_zones`, `warehouse.dim_zones`).
    """
    views = {view: frozenset(tables) for view, tables in kept.views.items()}
    try:
        all_sides = query_text.sides(kept.sql, views) if kept.sql else []
    except query_text.Unreadable:
        all_sides = []
    named = [item for item in all_sides if item.alias.casefold() == side.casefold()]
    if not named:
        known = {t for j in (*queries.joins(plan), *queries.joins(plan.before())) for t in (*j.left, *j.right)}
        meant = frozenset(t for t in known if side.lower() in (t, t.rsplit(".", 1)[-1]))
        if not meant:
            there = sorted({item.alias for item in all_sides} | known)
            found = f"sides and tables {', '.join(there)}" if there else "no join"
            return [_said(f"`{side}` as a side of a join in {kept.name}", found, "name one of these as side")]
        named = [query_text.Side(side, meant, "any")]
    return [message for item in named for message in _broadcast(kept, plan, item)]


def _broadcast(kept: Kept, plan: Plan, side: query_text.Side) -> list[str]:
    # Adaptive execution drops a join that turns out to have no rows; it was planned all the same.
    found = _joins_of(plan, side) or _joins_of(plan.before(), side)
    needed = f"a broadcast of `{side.alias}` in {kept.name}"
    if not found:
        return [
            _said(needed, f"no join with it; {_all_joins(plan)} in {kept.source}", "name the side as the query does")
        ]
    if any(join.is_broadcast and (place := _place(join, side)) and join.built in (place, "") for join in found):
        return []
    joined = "; ".join(
        f"{join}{f', which broadcasts the {join.built} side' if join.is_broadcast else ''}" for join in found
    )
    hinted = f", by the hint {side.hint}" if side.hint and side.hint != "broadcast" else ""
    found_words = f"{joined}{hinted} in {kept.source}"
    return [_said(needed, found_words, f"write `select {{{{ hints(broadcast('{side.alias}')) }}}}` there")]


def _place(join: Join, side: query_text.Side) -> str:
    """Which side of a join it is; an inner join's sides may be told apart by their tables alone."""
    if side.place == "any":
        return "left" if side.tables <= join.left and not side.tables <= join.right else "right"
    return "left" if side.place == "from" else "right"


def _joins_of(plan: Plan, side: query_text.Side) -> list[Join]:
    every = queries.joins(plan)
    if side.place == "any":
        return [join for join in every if side.tables in (join.left, join.right)]
    own = [join for join in every if side.tables == (join.left if side.place == "from" else join.right)]
    # Sides that read the very same tables are told apart by the columns they are joined on.
    keyed = [join for join in own if side.keys and all(_has(join.right_keys, name) for name in side.keys)]
    return keyed or own


def _has(keys: tuple[str, ...], column: str) -> bool:
    return any(re.search(rf"\b{re.escape(column)}\b", key, re.IGNORECASE) for key in keys)


def exchanges_at_most(kept: Kept, plan: Plan, n: int) -> list[str]:
    """That rows are shuffled at most so many times."""
    found = queries.exchanges(plan)
    if len(found) <= n:
        return []
    words = "; ".join(map(str, found))
    return [
        _said(
            f"at most {n} exchanges in {kept.name}",
            f"{len(found)} in {kept.source}: {words}",
            "broadcast the small side of a join, group by the keys that it is joined by, or raise n",
        )
    ]


def reads_columns_at_most(kept: Kept, plan: Plan, n: int, table: str | None = None) -> list[str]:
    """That no table is read with more columns than so many.

    Args:
        table: only this table's scans, by its name with or without schema.
    """
    scans = queries.scans(plan) or queries.scans(plan.before())
    if table:
        names = {scan.table for scan in scans}
        scans = [scan for scan in scans if table.lower() in (scan.table, scan.table.rsplit(".", 1)[-1])]
        if not scans:
            found = f"scans of {', '.join(sorted(names)) or 'nothing'} in {kept.source}"
            return [_said(f"a scan of {table} in {kept.name}", found, "name a table that the plan reads")]
    return [
        _said(
            f"at most {n} columns read of {scan.table} in {kept.name}",
            f"{len(scan.columns)} in {scan.operator.name}: {', '.join(scan.columns)}",
            "select only the columns that are used, or raise n",
        )
        for scan in scans
        if len(scan.columns) > n
    ]


def has_no_cartesian(kept: Kept, plan: Plan) -> list[str]:
    """That no join pairs every row with every row."""
    return [
        _said(
            f"no cartesian product in {kept.name}",
            f"{join} of {_sides(join)} in {kept.source}",
            "join on a condition, at best on equal columns",
        )
        for join in queries.cartesian(plan)
    ]


def _sides(join: Join) -> str:
    return " and ".join(", ".join(sorted(side)) or "rows of the query itself" for side in (join.left, join.right))


def has_no_single_partition_window(kept: Kept, plan: Plan) -> list[str]:
    """That no window function brings all rows into one task."""
    return [
        _said(
            f"no window over one single partition in {kept.name}",
            f"{item.name} {queries.plain(item.detail('Arguments'))} below Exchange SinglePartition in {kept.source}",
            "give the window a `partition by`",
        )
        for item in queries.single_partition_windows(plan)
    ]


def prunes_partitions(relation: str, plan: Plan, column: str) -> list[str]:
    """That a filter on a column spares whole partitions of a table.

    Args:
        relation: the table, for the message.
        plan: of `select … from table where column = value`.
    """
    scans = queries.scans(plan)
    named = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
    if any(named.search(item) for scan in scans for item in scan.partition_filters):
        return []
    seen = "; ".join(
        f"{scan.operator.title} with PartitionFilters [{', '.join(scan.partition_filters)}]"
        f" and PushedFilters [{', '.join(scan.pushed_filters)}]"
        for scan in scans
    )
    return [
        _said(
            f"a filter on {column} to prune partitions of {relation}",
            seen or f"no scan of files; {plan.root.title}",
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


def run(name: str, kept: Kept, plan: Plan, arguments: Mapping[str, Any]) -> list[str]:
    """The messages of one test on a kept plan."""
    return CHECKS[name](kept, plan, **arguments)
