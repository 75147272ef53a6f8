"""Explanations of real plans: join sides and reasons, exchanges, scans, warnings."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.explain import builder, metrics
from penstock.explain.explanation import Explanation, JoinFact
from penstock.explain.server_facts import ServerFacts, format_bytes, parse_bytes
from penstock.plans.plan_parser import parse
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan, Stage
from tests.support import plan_texts

TRIPS_AND_ZONES = "select {hint} t.trip_id, z.zone from warehouse.fct_trips t join warehouse.dim_zones z on t.x = z.y"
THRESHOLD = "spark.sql.autoBroadcastJoinThreshold"
NO_SERVER = ServerFacts(None, {})


def server_facts(**results: list[dict[str, Any]]) -> ServerFacts:
    """Return server facts with the rows of statements by their first words; other statements fail."""

    def run_query(sql: str) -> list[dict[str, Any]]:
        for start, rows in results.items():
            if sql.startswith(start.replace("_", " ")):
                return rows
        raise PenstockError("an answer", "an error", "nothing")

    return ServerFacts(run_query, {})


def explain(captured: CapturedPlan, server: ServerFacts = NO_SERVER) -> Explanation:
    return builder.build_explanation(captured, "table", server, "a plan", is_stored=False)


def only_join(captured: CapturedPlan, server: ServerFacts = NO_SERVER) -> JoinFact:
    (join,) = explain(captured, server).joins
    return join


def test_a_model_that_ran() -> None:
    explanation = explain(plan_texts.pickups())
    zones, licences = explanation.joins
    assert (zones.right.alias, zones.right.tables) == ("zones", ("warehouse.dim_zones",))
    assert (licences.right.alias, licences.left.alias) == ("licences", "pickups")
    assert zones.why == ("the hint broadcast(zones)",)
    assert (zones.right.rows, format_bytes(zones.right.bytes or 0)) == (265, "1.0 MiB")
    assert zones.rows == licences.rows == 1048
    rebalance, group = explanation.exchanges
    assert (rebalance.asked_by, rebalance.keys, rebalance.rows) == ("rebalance", ("pickup_month",), 1048)
    assert group.asked_by.startswith("aggregate ")
    assert group.read_as == 1
    assert [(scan.table, scan.rows, scan.files) for scan in explanation.scans][1:] == [
        ("warehouse.licence_numbers", 4, 1),
        ("warehouse.dim_zones", 265, 1),
    ]
    assert explanation.steps == ("aggregates: 1 final, 1 partial",)
    assert len(explanation.stages) == 5
    assert explanation.warnings == ()


def test_every_operator_of_an_executed_plan_gets_its_own_metrics() -> None:
    executed = plan_texts.pickups().executed
    assert executed
    plan = parse(executed.plan)
    by_operator = metrics.metrics_by_operator(plan, executed.metrics)
    rows = {
        item.title.split(".")[-1]: metrics.count_metric(by_operator[item.number], "number of output rows")
        for item in plan.walk()
        if item.name == "Scan"
    }
    assert rows == {"int_fhvhv_trips_checked": 39999, "licence_numbers": 4, "dim_zones": 265}
    shown = {item.number for item in plan.walk() if not item.name.endswith(("QueryStage", "AdaptiveSparkPlan"))}
    assert set(by_operator) == shown


def test_metrics_of_a_subquery_are_assigned_to_its_operators() -> None:
    explanation = explain(plan_texts.highest())
    assert [(scan.table, scan.rows, scan.files) for scan in explanation.scans] == [
        ("warehouse.fct_trips", 158280, 12),
        ("warehouse.dim_zones", 265, 1),
        ("warehouse.fct_trips", 39535, 6),
    ]
    assert (explanation.exchanges[0].partitioning, explanation.exchanges[0].rows) == ("single partition", 2)


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
def test_the_reason_for_a_join_strategy(name: str, hint: str, conf: str, why: str) -> None:
    sql = TRIPS_AND_ZONES.format(hint=hint) if "z" in hint or name in ("merge", "shuffle_hash") else ""
    server = server_facts(**{f"set_{THRESHOLD}": [{"key": THRESHOLD, "value": conf}]})
    reasons = only_join(plan_texts.explained(name, sql), server).why
    assert why in reasons[0], reasons


def test_a_hint_in_a_view_is_found_in_the_view() -> None:
    view = TRIPS_AND_ZONES.format(hint="/*+ merge(z) */")
    both = ["warehouse.fct_trips", "warehouse.dim_zones"]
    captured = plan_texts.explained("merge", "select * from staging.v", {"staging.v": both})
    join = only_join(captured, server_facts(describe_extended=[{"col_name": "View Text", "data_type": view}]))
    assert (join.right.alias, join.why) == ("z", ("the hint merge(z)",))


def test_a_join_that_adaptive_execution_changed_has_that_as_its_reason() -> None:
    captured = plan_texts.pickups()
    assert captured.executed
    final, heading, rest = captured.executed.plan.partition("== Initial Plan ==")
    planned = rest.replace("BroadcastHashJoin LeftOuter BuildRight (39)", "SortMergeJoin LeftOuter (39)")
    planned = planned.replace("(39) BroadcastHashJoin", "(39) SortMergeJoin")
    assert planned != rest
    executed = ExecutedPlan(1, final + heading + planned, 1.0)
    changed = CapturedPlan(captured.node, captured.relation, "", "", {}, "", executed)
    assert explain(changed).joins[0].why == (
        "planned as a sort-merge join; changed while it ran, when the real sizes were known",
    )


def test_expensive_operators_have_warnings() -> None:
    assert "every row is paired with every row" in explain(plan_texts.explained("cartesian")).warnings[0]
    assert "no equal columns" in explain(plan_texts.explained("nested_loop")).warnings[0]
    assert "one task" in explain(plan_texts.explained("single_window")).warnings[0]
    assert explain(plan_texts.explained("window")).warnings == ()
    assert explain(plan_texts.explained("merge")).warnings == ()


def test_uneven_and_spilled_stages_have_warnings() -> None:
    def stage(number: int, median: float, longest: float, spilled: int) -> Stage:
        return Stage(number, 8, longest, median, longest, 0, 0, 0, 0, spilled)

    text = plan_texts.text("window")
    stages = [stage(1, 1, 20, 0), stage(2, 0.1, 2, 0), stage(3, 6, 7, 0), stage(4, 1, 1, 3 * 1024**2)]
    captured = CapturedPlan("model.shop.a", "s.a", "", "", {}, "", ExecutedPlan(1, text, 1.0, [], stages))
    uneven, spilled = explain(captured).warnings
    assert "stage 1 is uneven: its longest task took 20.0 s, the median task 1.0 s (20 times)" in uneven
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
def test_sizes_are_parsed_as_spark_writes_them(text: str, number: int) -> None:
    assert parse_bytes(text) == number


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024**4, "5.0 TiB")]
)
def test_sizes_are_formatted_with_a_unit(number: int, text: str) -> None:
    assert format_bytes(number) == text


def test_files_of_a_table() -> None:
    rows = [{"path": f"file:/w/t/m={n % 2}/part-{n}", "size": 1024 * (n + 1)} for n in range(5)]
    server = server_facts(
        select_path=rows,
        show_columns=[{}, {}],
        describe_detail=[
            {"partitionColumns": '["m"]', "numFiles": 5, "sizeInBytes": 15360, "format": "delta"},
        ],
        select_count=[{"n": 2}],
    )
    files = server.table_files("s.t")
    assert files
    assert (files.sizes[0], files.sizes[-1], files.median, files.partitions) == (1024, 5120, 3072, (2, 3))
    assert server.table_detail("s.t").partitions == 2
    assert server_facts().table_files("s.t") is None
