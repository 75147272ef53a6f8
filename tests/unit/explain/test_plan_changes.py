"""The differences between two plans of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.explain import builder, plan_changes
from penstock.explain.explanation import Explanation
from penstock.explain.plan_changes import PlanChange
from penstock.explain.server_facts import ServerFacts
from penstock.plans.plan_store import CapturedPlan
from tests.support import plan_texts

SQL = "select {hint} t.trip_id, z.zone from warehouse.fct_trips t {join} warehouse.dim_zones z on t.x = z.y"


def explain(name: str, hint: str = "", join: str = "join", **replaced: str) -> Explanation:
    """Return the explanation of a plan, with parts of its text replaced."""
    captured = plan_texts.explained(name, SQL.format(hint=hint, join=join))
    text = captured.explained
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return of(replace(captured, explained=text))


def of(captured: CapturedPlan) -> Explanation:
    return builder.build_explanation(captured, "table", ServerFacts(None, {}), "", is_stored=False)


def kinds(changes: tuple[PlanChange, ...]) -> list[str]:
    return [change.kind for change in changes]


@pytest.mark.parametrize("name", ["merge", "shuffle_hash", "semi", "window", "subquery", "reused", "cartesian"])
def test_a_plan_does_not_differ_from_itself(name: str) -> None:
    assert plan_changes.compare(explain(name), explain(name)) == ()


def test_a_join_that_changes_its_strategy_names_both_sides() -> None:
    """Its shuffles and its partition filter are compared too."""
    before, after = explain("merge", "/*+ merge(z) */"), explain("shuffle_hash", "/*+ shuffle_hash(z) */", "left join")
    changes = plan_changes.compare(before, after)
    assert kinds(changes) == ["join", "pruning"]
    text = str(changes[0])
    assert text.startswith("join of `t` (warehouse.fct_trips) and `z` (warehouse.dim_zones) on ")
    assert text.endswith(": sort-merge join, inner → shuffle hash join, left outer")
    assert str(changes[1]) == (
        "partitions of warehouse.fct_trips: pruned by (pickup_month = 2023-01-01) → reads all partitions"
    )


def test_a_broadcast_join_loses_and_gains_shuffles() -> None:
    """The broadcast side is named, and the shuffle of each side is a change."""
    hinted = plan_texts.explained("merge", SQL.format(hint="/*+ broadcast(z) */", join="join"))
    merge = of(hinted)
    text = plan_texts.text("merge").replace("SortMergeJoin Inner", "BroadcastHashJoin Inner BuildRight")
    text = text.replace("(10) SortMergeJoin", "(10) BroadcastHashJoin")
    text = text.replace("+- Exchange (4)", "+- Project (4)").replace("(4) Exchange", "(4) Project")
    text = text.replace("+- Exchange (8)", "+- BroadcastExchange (8)").replace("(8) Exchange", "(8) BroadcastExchange")
    broadcast = of(
        replace(plan_texts.explained("merge", SQL.format(hint="/*+ broadcast(z) */", join="join")), explained=text)
    )
    lost = plan_changes.compare(broadcast, merge)
    assert kinds(lost) == ["join", "exchange", "exchange", "hint"]
    assert (lost[0].before, lost[0].after) == (
        "broadcast hash join of `z` (warehouse.dim_zones), inner",
        "sort-merge join, inner",
    )
    assert {change.subject for change in lost[1:3]} == {"1 more exchange"}
    assert "hash by pickup_zone_id of warehouse.fct_trips, for join" in {change.after for change in lost[1:3]}
    assert str(lost[3]) == "hint broadcast(z): Spark ignores it: sort-merge join, inner"
    gained = plan_changes.compare(merge, broadcast)
    assert kinds(gained) == ["join", "exchange", "exchange"]
    assert str(gained[1]).startswith("1 exchange: gone, was hash by ")


def test_a_hint_that_was_ignored_before_is_no_change() -> None:
    ignored = explain("merge", "/*+ broadcast(z) */")
    assert plan_changes.compare(ignored, ignored) == ()
    assert kinds(plan_changes.ignored_hints(ignored)) == ["hint"]
    assert kinds(plan_changes.compare(explain("merge"), ignored)) == ["hint"]


def test_new_and_removed_joins() -> None:
    without, with_join = explain("window"), explain("merge")
    added = [change for change in plan_changes.compare(without, with_join) if change.kind == "join"]
    assert [str(change) for change in added] == [
        "new join of `t` (warehouse.fct_trips) and `z` (warehouse.dim_zones) on pickup_zone_id = zone_id: "
        "sort-merge join, inner"
    ]
    removed = [change for change in plan_changes.compare(with_join, without) if change.kind == "join"]
    assert [str(change).rpartition(": ")[2] for change in removed] == ["gone, was sort-merge join, inner"]


def test_swapped_sides_are_the_same_join() -> None:
    before = explain("merge")
    join = before.joins[0]
    keys = tuple(" = ".join(reversed(part.split(" = "))) for part in join.on)
    swapped = replace(before, joins=(replace(join, left=join.right, right=join.left, on=keys),))
    assert plan_changes.compare(before, swapped) == ()


def test_a_filter_that_only_excludes_null_does_not_prune() -> None:
    pruned = explain("partitions")
    weaker = explain("partitions", **{", (pickup_month#215446 = 2023-01-01)": ""})
    assert kinds(plan_changes.compare(pruned, weaker)) == ["pruning"]
    assert plan_changes.compare(weaker, pruned) == ()
    other = explain("partitions", **{"2023-01-01": "2023-02-01"})
    assert plan_changes.compare(pruned, other) == (), "other months are pruned as well"
