"""Queues and the critical path of a command."""

from __future__ import annotations

from dataclasses import replace

from penstock.report.run_page.run_graph import RunGraph
from tests.support import run_records
from tests.support.run_records import PICKUPS, SEED, TRIPS, TRIPS_TEST, ZONES_TEST


def test_a_model_of_a_build_waits_for_its_parents_and_their_tests() -> None:
    graph = RunGraph(run_records.build(), {})
    assert graph.blockers(PICKUPS) == {SEED, TRIPS, ZONES_TEST, TRIPS_TEST}
    assert graph.blockers(ZONES_TEST) == {SEED}


def test_only_dbt_build_runs_tests_between_models() -> None:
    graph = RunGraph(replace(run_records.build(), command="run"), {})
    assert graph.blockers(PICKUPS) == {SEED, TRIPS}


def test_a_test_that_also_reads_a_later_model_blocks_nothing() -> None:
    record = run_records.build()
    both = replace(record.nodes[TRIPS_TEST], depends_on=[TRIPS, PICKUPS])
    graph = RunGraph(replace(record, nodes={**record.nodes, TRIPS_TEST: both}), {})
    assert graph.blockers(PICKUPS) == {SEED, TRIPS, ZONES_TEST}


def test_parents_of_ephemeral_models_are_the_nodes_above_them() -> None:
    record = run_records.build()
    reader = replace(record.nodes[PICKUPS], depends_on=["model.shop.ephemeral"])
    graph = RunGraph(
        replace(record, command="run", nodes={**record.nodes, PICKUPS: reader}), {"model.shop.ephemeral": [TRIPS]}
    )
    assert graph.blockers(PICKUPS) == {TRIPS}


def test_seconds_in_queue() -> None:
    graph = RunGraph(replace(run_records.build(), command="run"), {})
    assert graph.queue_seconds(SEED) == 0  # ready when the first node starts
    assert graph.queue_seconds(PICKUPS) == 1  # ready at 6, started at 7
    assert graph.queue_seconds(ZONES_TEST) == 0


def test_the_critical_path_ends_at_the_last_node() -> None:
    graph = RunGraph(replace(run_records.build(), command="run"), {})
    assert graph.critical_path() == [TRIPS, PICKUPS]


def test_skipped_nodes_are_on_no_path() -> None:
    record = run_records.build(command="run")
    skipped = replace(record.nodes[PICKUPS], status="skipped")
    graph = RunGraph(replace(record, nodes={**record.nodes, PICKUPS: skipped}), {})
    assert graph.critical_path() == [TRIPS, TRIPS_TEST]


def test_a_command_without_nodes_has_no_path() -> None:
    assert RunGraph(run_records.build(nodes={}), {}).critical_path() == []
