"""What an explanation takes from real plans: sides and reasons of joins, exchanges, scans, warnings."""

from __future__ import annotations

from typing import Any

import plan_texts
import pytest

from penstock.errors import PenstockError
from penstock.explain import builder, metrics
from penstock.explain.explanation import Facts, JoinFact
from penstock.explain.server_facts import Server, bytes_of, size
from penstock.plans.parse import parse
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan, Stage

TRIPS_AND_ZONES = "select {hint} t.trip_id, z.zone from warehouse.fct_trips t join warehouse.dim_zones z on t.x = z.y"
THRESHOLD = "spark.sql.autoBroadcastJoinThreshold"
NOBODY = Server(None, {})


def server(**answers: list[dict[str, Any]]) -> Server:
    """Answers to statements by their first words; others fail as Spark's do."""

    def ask(sql: str) -> list[dict[str, Any]]:
        for start, rows in answers.items():
            if sql.startswith(start.replace("_", " ")):
                return rows
        raise PenstockError("an answer", "an error", "nothing")

    return Server(ask, {})


def facts(kept: CapturedPlan, answering: Server = NOBODY) -> Facts:
    return builder.facts(kept, "table", answering, "a plan", stored=False)


def join(kept: CapturedPlan, answering: Server = NOBODY) -> JoinFact:
    (found,) = facts(kept, answering).joins
    return found


def test_a_model_that_ran() -> None:
    told = facts(plan_texts.pickups())
    zones, licences = told.joins
    assert (zones.right.alias, zones.right.tables) == ("zones", ("warehouse.dim_zones",))
    assert (licences.right.alias, licences.left.alias) == ("licences", "pickups")
    assert zones.why == ("the hint broadcast(zones)",)
    assert (zones.right.rows, size(zones.right.bytes or 0)) == (265, "1.0 MiB")
    assert zones.rows == licences.rows == 1048
    rebalance, group = told.exchanges
    assert (rebalance.asked_by, rebalance.keys, rebalance.rows) == ("rebalance", ("pickup_month",), 1048)
    assert group.asked_by.startswith("aggregate ")
    assert group.read_as == 1
    assert [(scan.table, scan.rows, scan.files) for scan in told.scans][1:] == [
        ("warehouse.licence_numbers", 4, 1),
        ("warehouse.dim_zones", 265, 1),
    ]
    assert told.steps == ("aggregates: 1 final, 1 partial",)
    assert len(told.stages) == 5
    assert told.warnings == ()


def test_every_operator_of_a_plan_that_ran_gets_its_own_counts() -> None:
    ran = plan_texts.pickups().executed
    assert ran
    plan = parse(ran.plan)
    counted = metrics.measured(plan, ran.metrics)
    rows = {
        item.title.split(".")[-1]: metrics.count(counted[item.number], "number of output rows")
        for item in plan.walk()
        if item.name == "Scan"
    }
    assert rows == {"int_fhvhv_trips_checked": 39999, "licence_numbers": 4, "dim_zones": 265}
    shown = {item.number for item in plan.walk() if not item.name.endswith(("QueryStage", "AdaptiveSparkPlan"))}
    assert set(counted) == shown


def test_counts_of_a_subquery_stay_with_it() -> None:
    told = facts(plan_texts.highest())
    assert [(scan.table, scan.rows, scan.files) for scan in told.scans] == [
        ("warehouse.fct_trips", 158280, 12),
        ("warehouse.dim_zones", 265, 1),
        ("warehouse.fct_trips", 39535, 6),
    ]
    assert (told.exchanges[0].partitioning, told.exchanges[0].rows) == ("single partition", 2)


@pytest.mark.parametrize(
    ("name", "hint", "conf", "why"),
    [
        ("merge", "/*+ merge(z) */", "10485760b", "the hint merge(z)"),
        ("merge", "", "-1", "spark.sql.autoBroadcastJoinThreshold is off"),
        ("merge", "", "1024", "neither side is estimated under spark.sql.autoBroadcastJoinThreshold (1.0 KiB)"),
        ("merge", "/*+ broadcast(z) */", "1024", "the hint broadcast(z) could not be followed"),
        ("semi", "", "10485760b", "is under spark.sql.autoBroadcastJoinThreshold (10.0 MiB)"),
        ("nested_loop", "", "1", "its condition has no equal columns"),
        ("cartesian", "", "1", "it has no condition"),
        ("shuffle_hash", "/*+ shuffle_hash(z) */", "1", "the hint shuffle_hash(z)"),
        ("shuffle_hash", "", "1", "only the right side may be broadcast here, and it isn't estimated under"),
    ],
)
def test_why_a_join_is_of_its_kind(name: str, hint: str, conf: str, why: str) -> None:
    sql = TRIPS_AND_ZONES.format(hint=hint) if "z" in hint or name in ("merge", "shuffle_hash") else ""
    answering = server(**{f"set_{THRESHOLD}": [{"key": THRESHOLD, "value": conf}]})
    reasons = join(plan_texts.explained(name, sql), answering).why
    assert why in reasons[0], reasons


def test_a_hint_in_a_view_is_found_in_the_view() -> None:
    view = TRIPS_AND_ZONES.format(hint="/*+ merge(z) */")
    both = ["warehouse.fct_trips", "warehouse.dim_zones"]
    kept = plan_texts.explained("merge", "select * from staging.v", {"staging.v": both})
    told = join(kept, server(describe_extended=[{"col_name": "View Text", "data_type": view}]))
    assert (told.right.alias, told.why) == ("z", ("the hint merge(z)",))


def test_a_join_that_adaptive_execution_changed_says_so() -> None:
    kept = plan_texts.pickups()
    assert kept.executed
    head, begun, rest = kept.executed.plan.partition("== Initial Plan ==")
    planned = rest.replace("BroadcastHashJoin LeftOuter BuildRight (39)", "SortMergeJoin LeftOuter (39)")
    planned = planned.replace("(39) BroadcastHashJoin", "(39) SortMergeJoin")
    assert planned != rest
    changed = CapturedPlan(kept.node, kept.relation, "", "", {}, "", ExecutedPlan(1, head + begun + planned, 1.0))
    assert facts(changed).joins[0].why == (
        "planned as a sort-merge join; changed while it ran, when the real sizes were known",
    )


def test_what_is_likely_to_cost_is_warned_of() -> None:
    assert "every row is paired with every row" in facts(plan_texts.explained("cartesian")).warnings[0]
    assert "no equal columns" in facts(plan_texts.explained("nested_loop")).warnings[0]
    assert "one task" in facts(plan_texts.explained("single_window")).warnings[0]
    assert facts(plan_texts.explained("window")).warnings == ()
    assert facts(plan_texts.explained("merge")).warnings == ()


def test_stages_that_spilled_or_are_uneven_are_warned_of() -> None:
    def stage(number: int, median: float, longest: float, spilled: int) -> Stage:
        return Stage(number, 8, longest, median, longest, 0, 0, 0, 0, spilled)

    text = plan_texts.text("window")
    stages = [stage(1, 1, 20, 0), stage(2, 0.1, 2, 0), stage(3, 6, 7, 0), stage(4, 1, 1, 3 * 1024**2)]
    kept = CapturedPlan("model.shop.a", "s.a", "", "", {}, "", ExecutedPlan(1, text, 1.0, [], stages))
    uneven, spilled = facts(kept).warnings
    assert "stage 1 is uneven: its longest task took 20.0 s, the middle one 1.0 s (20 times)" in uneven
    assert "stage 4 wrote 3.0 MiB to disk" in spilled


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("6.0 KiB", 6144),
        ("10485760b", 10485760),
        ("10m", 10485760),
        ("-1", -1),
        ("1,024.0 B", 1024),
        ("1.5g", 1610612736),
    ],
)
def test_sizes_are_read_as_spark_writes_them(text: str, number: int) -> None:
    assert bytes_of(text) == number


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024**4, "5.0 TiB")]
)
def test_sizes_are_written_as_people_read_them(number: int, text: str) -> None:
    assert size(number) == text


def test_files_of_a_table() -> None:
    rows = [{"path": f"file:/w/t/m={n % 2}/part-{n}", "size": 1024 * (n + 1)} for n in range(5)]
    answering = server(
        select_path=rows,
        show_columns=[{}, {}],
        describe_detail=[
            {"partitionColumns": '["m"]', "numFiles": 5, "sizeInBytes": 15360, "format": "delta"},
        ],
        select_count=[{"n": 2}],
    )
    found = answering.files("s.t")
    assert found
    assert (found.sizes[0], found.sizes[-1], found.median, found.partitions) == (1024, 5120, 3072, (2, 3))
    assert answering.detail("s.t").partitions == 2
    assert server().files("s.t") is None
