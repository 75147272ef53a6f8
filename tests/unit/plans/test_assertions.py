"""Each check of a plan holds on one plan, and fails on another with a message of three parts."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.plans import assertions
from penstock.plans.plan_store import CapturedPlan
from tests.support import plan_texts

BY_HINT = """
select /*+ merge(z) */ t.trip_id, z.zone from warehouse.fct_trips t join warehouse.dim_zones z
on t.pickup_zone_id = z.zone_id
"""


def run(test: str, captured: CapturedPlan, **arguments: Any) -> list[str]:
    plan = captured.plan
    assert plan
    return assertions.run(test, captured, plan, arguments)


PICKUPS = plan_texts.pickups()
MERGE = plan_texts.explained("merge", BY_HINT)


@pytest.mark.parametrize(
    ("test", "captured", "arguments"),
    [
        ("plan_broadcasts", PICKUPS, {"side": "zones"}),
        ("plan_broadcasts", PICKUPS, {"side": "LICENCES"}),
        ("plan_broadcasts", PICKUPS, {"side": "warehouse.dim_zones"}),
        ("plan_broadcasts", PICKUPS, {"side": "dim_zones"}),
        ("plan_broadcasts", plan_texts.explained("semi"), {"side": "dim_zones"}),
        ("plan_exchanges_at_most", PICKUPS, {"n": 2}),
        ("plan_exchanges_at_most", plan_texts.explained("partitions"), {"n": 0}),
        ("plan_reads_columns_at_most", MERGE, {"n": 3}),
        ("plan_reads_columns_at_most", MERGE, {"n": 2, "table": "dim_zones"}),
        ("plan_has_no_cartesian", plan_texts.explained("nested_loop"), {}),
        ("plan_has_no_single_partition_window", plan_texts.explained("window"), {}),
    ],
)
def test_a_check_that_holds_has_no_message(test: str, captured: CapturedPlan, arguments: dict[str, Any]) -> None:
    assert run(test, captured, **arguments) == []


@pytest.mark.parametrize(
    ("test", "captured", "arguments", "expected"),
    [
        (
            "plan_broadcasts",
            MERGE,
            {"side": "z"},
            ["a broadcast of `z` in merge", "SortMergeJoin Inner on pickup_zone_id"],
        ),
        ("plan_broadcasts", MERGE, {"side": "t"}, ["a broadcast of `t`", "SortMergeJoin Inner"]),
        ("plan_broadcasts", MERGE, {"side": "dim_zones"}, ["SortMergeJoin Inner"]),
        ("plan_broadcasts", MERGE, {"side": "zones"}, ["`zones` as a side", "t, warehouse.dim_zones", "name one of"]),
        ("plan_broadcasts", plan_texts.explained("window"), {"side": "zones"}, ["`zones` as a side", "no join"]),
        (
            "plan_broadcasts",
            PICKUPS,
            {"side": "pickups"},
            ["broadcasts the right side (", "after `select` in that query"],
        ),
        (
            "plan_exchanges_at_most",
            PICKUPS,
            {"n": 1},
            ["at most 1 exchanges", "2 in the plan that ran", "hash(pickup_month)"],
        ),
        (
            "plan_reads_columns_at_most",
            MERGE,
            {"n": 2},
            ["2 columns read of warehouse.fct_trips", "trip_id, pickup_zone_id"],
        ),
        ("plan_reads_columns_at_most", MERGE, {"n": 2, "table": "x"}, ["a scan of x", "warehouse.dim_zones"]),
        ("plan_has_no_cartesian", plan_texts.explained("cartesian"), {}, ["no cartesian", "warehouse.dim_zones and"]),
        (
            "plan_has_no_single_partition_window",
            plan_texts.explained("single_window"),
            {},
            ["Window", "row_number()", "SinglePartition", "partition by"],
        ),
    ],
)
def test_a_check_that_fails_names_what_was_found(
    test: str, captured: CapturedPlan, arguments: dict[str, Any], expected: list[str]
) -> None:
    (message,) = run(test, captured, **arguments)
    assert message.startswith("needed: ")
    assert " found: " in message
    assert " do: " in message
    assert [text for text in expected if text not in message] == [], message


def test_pruning_requires_a_partition_filter_on_the_column() -> None:
    assert assertions.prunes_partitions("warehouse.fct_trips", plan_texts.plan("partitions"), "PICKUP_MONTH") == []
    (message,) = assertions.prunes_partitions("warehouse.dim_zones", plan_texts.plan("literal"), "zone")
    assert "a filter on zone to prune partitions of warehouse.dim_zones" in message
    assert "PartitionFilters []" in message
    assert "IsNotNull(zone)" in message
