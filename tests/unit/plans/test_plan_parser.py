"""EXPLAIN FORMATTED is parsed into a tree, for plans that ran and for plans that did not."""

from __future__ import annotations

import pytest

from penstock.plans import queries
from penstock.plans.plan_parser import NotAPlan, parse
from tests.support import plan_texts

EXECUTED = plan_texts.pickups().executed


def test_a_plan_that_did_not_run_is_its_own_initial_plan() -> None:
    plan = plan_texts.plan("merge")
    assert (plan.is_final, plan.initial) == (False, None)
    assert plan.initial_plan() is plan
    assert [item.name for item in plan.walk()][:4] == ["AdaptiveSparkPlan", "Project", "SortMergeJoin", "Sort"]
    join = next(item for item in plan.walk() if item.name == "SortMergeJoin")
    assert [child.name for child in join.children] == ["Sort", "Sort"]
    assert join.detail("Join type") == "Inner"
    assert join.detail("No such") == ""


def test_an_executed_plan_has_an_initial_plan() -> None:
    assert EXECUTED
    plan = parse(EXECUTED.plan)
    assert plan.is_final
    names = [item.name for item in plan.walk()]
    assert names[:4] == ["AdaptiveSparkPlan", "ResultQueryStage", "AQEShuffleRead", "ShuffleQueryStage"]
    assert names.count("BroadcastHashJoin") == 2
    initial = [item.name for item in plan.initial_plan().walk()]
    assert initial[0] == "Exchange"
    assert "AQEShuffleRead" not in initial
    stage = next(item for item in plan.walk() if item.name == "ShuffleQueryStage")
    assert stage.statistics.startswith("sizeInBytes=")
    assert stage.number in plan.by_number()


def test_a_plan_without_adaptive_execution_that_reuses_an_exchange() -> None:
    plan = plan_texts.plan("reused")
    reused = next(item for item in plan.walk() if item.name == "ReusedExchange")
    assert plan.by_number()[int(reused.detail("Reuses"))].name == "Exchange"


def test_a_subquery_that_two_operators_share_is_parsed_once() -> None:
    plan = plan_texts.plan("subquery")
    assert len(plan.subqueries) == 1
    assert plan.root.children[0].name == "Project"
    assert [item.name for item in plan.walk()].count("Exchange") == 1


def test_a_literal_that_looks_like_plan_text_stays_a_literal() -> None:
    plan = plan_texts.plan("literal")
    scan = plan.by_number()[1]
    assert scan.name == "Scan"
    assert scan.detail("Output") == "[zone_id#214429, zone#214430]"
    assert "(1) Exchange\n\nOutput: b)" in scan.detail("PushedFilters")
    assert scan.detail("ReadSchema") == "struct<zone_id:int,zone:string>"
    assert plan.by_number()[4].detail("Output") == "[zone#214430]"


@pytest.mark.parametrize("text", ["", "\n\n", "Error in query: no such table\nat line 1", "== Physical Plan ==\n\n"])
def test_a_text_without_a_plan_is_refused(text: str) -> None:
    with pytest.raises(NotAPlan):
        parse(text)


def test_a_skewed_join_that_was_split_is_parsed_as_a_join() -> None:
    """Adaptive execution appends `(skew=true)` to the operator's name."""
    text = """== Physical Plan ==
AdaptiveSparkPlan (5)
+- == Final Plan ==
   * SortMergeJoin(skew=true) Inner (3)
   :- Scan parquet spark_catalog.w.trips (1)
   +- Scan parquet spark_catalog.w.zones (2)
+- == Initial Plan ==
   SortMergeJoin Inner (4)
   :- Scan parquet spark_catalog.w.trips (1)
   +- Scan parquet spark_catalog.w.zones (2)


(1) Scan parquet spark_catalog.w.trips
Output [1]: [zone_id#1]

(2) Scan parquet spark_catalog.w.zones
Output [1]: [id#2]

(3) SortMergeJoin(skew=true) [codegen id : 5]
Left keys [1]: [zone_id#1]
Right keys [1]: [id#2]
Join type: Inner
Join condition: None
"""
    assert [str(join) for join in queries.joins(parse(text))] == ["SortMergeJoin Inner on zone_id = id"]


def test_an_operator_that_adaptive_execution_removed_has_no_number() -> None:
    """The final plan keeps its name. Only the initial plan still has the join."""
    text = """== Physical Plan ==
AdaptiveSparkPlan (3)
+- == Current Plan ==
   EmptyRelation (1)
   +- RebalancePartitions (unknown)
+- == Initial Plan ==
   BroadcastHashJoin LeftOuter BuildRight (2)
   :- Scan parquet spark_catalog.w.trips (4)
   +- Scan parquet spark_catalog.w.zones (5)
"""
    plan = parse(text)
    assert [item.title for item in plan.walk()] == ["AdaptiveSparkPlan", "EmptyRelation", "RebalancePartitions"]
    assert [join.kind for join in queries.joins(plan.initial_plan())] == ["broadcast hash join"]
