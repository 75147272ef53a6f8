"""Queries on real plans: joins with their sides, exchanges with their keys, scans with their filters."""

from __future__ import annotations

import pytest

from penstock.plans import queries
from penstock.plans.plan_parser import parse
from tests.support import plan_texts

TRIPS, ZONES = frozenset({"warehouse.fct_trips"}), frozenset({"warehouse.dim_zones"})


@pytest.mark.parametrize(
    ("name", "kind", "type_", "built", "condition"),
    [
        ("merge", "sort-merge join", "Inner", "", ""),
        ("shuffle_hash", "shuffle hash join", "LeftOuter", "right", "(fare_amount > 3.00)"),
        ("semi", "broadcast hash join", "LeftSemi", "right", ""),
    ],
)
def test_a_join_of_trips_and_zones(name: str, kind: str, type_: str, built: str, condition: str) -> None:
    (join,) = queries.joins(plan_texts.plan(name))
    assert (join.kind, join.type, join.built, join.condition) == (kind, type_, built, condition)
    assert (join.left_keys, join.right_keys) == (("pickup_zone_id",), ("zone_id",))
    assert (join.left, join.right) == (TRIPS, ZONES)


def test_joins_with_and_without_a_condition() -> None:
    (by_condition,) = queries.joins(plan_texts.plan("nested_loop"))
    assert by_condition.kind == "broadcast nested-loop join"
    assert by_condition.condition == "((zone_id < zone_id) AND NOT (borough = borough))"
    assert not queries.cartesian_joins(plan_texts.plan("nested_loop"))
    (product,) = queries.cartesian_joins(plan_texts.plan("cartesian"))
    assert str(product) == "BroadcastNestedLoopJoin Cross, without a condition"


def test_tables_behind_a_reused_exchange_are_known() -> None:
    (join,) = queries.joins(plan_texts.plan("reused"))
    assert (join.left, join.right) == (TRIPS, TRIPS)


def test_exchanges_of_every_kind() -> None:
    def described(name: str) -> list[tuple[str, int | None, str]]:
        return [(str(e), e.partitions, e.origin) for e in queries.exchanges(plan_texts.plan(name))]

    needed = "ENSURE_REQUIREMENTS"
    assert described("merge") == [("hash(pickup_zone_id)", 4, needed), ("hash(zone_id)", 4, needed)]
    assert described("range") == [("range(borough ASC NULLS FIRST)", 3, "REPARTITION_BY_NUM")]
    assert described("single_window") == [("SinglePartition", 1, needed)]
    assert described("reused") == [("hash(pickup_zone_id)", 4, needed)]
    executed = plan_texts.pickups().executed
    assert executed
    origins = [item.origin for item in queries.exchanges(parse(executed.plan))]
    assert origins == ["REBALANCE_PARTITIONS_BY_COL", needed]


def test_scans_with_their_filters() -> None:
    (scan,) = queries.scans(plan_texts.plan("partitions"))
    assert (scan.table, scan.columns) == ("warehouse.fct_trips", ("trip_id", "pickup_month"))
    assert scan.partition_filters == ("isnotnull(pickup_month)", "(pickup_month = 2023-01-01)")
    trips, zones = queries.scans(plan_texts.plan("merge"))
    assert trips.pushed_filters == ("IsNotNull(pickup_zone_id)",)
    assert zones.columns == ("zone_id", "zone")


def test_only_a_window_over_all_rows_is_a_single_partition() -> None:
    (window,) = queries.single_partition_windows(plan_texts.plan("single_window"))
    assert window.name == "Window"
    assert not queries.single_partition_windows(plan_texts.plan("window"))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[a#1, b#22L]", ("a", "b")),
        ("[f(a#1, b#2), struct<x, y>]", ("f(a, b)", "struct<x, y>")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_lists_are_split_outside_brackets(text: str, items: tuple[str, ...]) -> None:
    assert queries.split_list(text) == items
