"""Records and OpenLineage events of real dbt commands."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.runs import run_store
from penstock.runs.run_record import RunRecord
from tests.support.lineage_receiver import Receiver, receiver
from tests.support.polling import wait_until
from tests.support.projects import Project, edited, small_project

FILES = {
    "seeds/raw.csv": "id,price\n1,2.5\n2,3.5\n3,4.5\n",
    "models/paid.sql": "{{ config(materialized='ephemeral') }} select id, price from {{ ref('raw') }} where id < 3",
    "models/orders.sql": "{{ config(materialized='table') }} select id, price * 2 as total from {{ ref('paid') }}",
    "models/doubled.py": """
def model(dbt, session):
    orders = dbt.ref("orders")
    return orders.union(orders)
""",
    "models/slow.sql": """{{ config(materialized='table', tags=['slow']) }}
select count(*) as n from range(100000000) a join range(1000) b on a.id % 7 = b.id % 5 and a.id + b.id <> 3""",
    "models/_models.yml": """models:
  - name: orders
    columns: [{name: id, description: Number of the order, data_tests: [unique]}]
""",
}
NORMAL = ("--exclude", "tag:slow")


@pytest.fixture(scope="module")
def shop(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a seed, an ephemeral model, a SQL and a Python model, a test, and a model that is slow."""
    return small_project(tmp_path_factory.mktemp("shop"), FILES, {"keep_plans": True}, host=host)


@pytest.fixture
def received() -> Iterator[Receiver]:
    """A receiver of events."""
    with receiver() as made:
        yield made


def newest(project: Project) -> RunRecord:
    """Return the record of the last command."""
    return run_store.records(project.root / "target")[0]


def test_a_build_is_recorded_and_its_events_are_sent(shop: Project, received: Receiver) -> None:
    built = shop.dbt("build", *NORMAL, OPENLINEAGE_URL=received.url, OPENLINEAGE_NAMESPACE="shop")
    assert built.returncode == 0, built.stdout
    assert "OpenLineage" not in built.stdout

    record = newest(shop)
    artifact = json.loads((shop.root / "target" / "run_results.json").read_text())
    results = {item["unique_id"]: item for item in artifact["results"]}
    assert record.run_id == artifact["metadata"]["invocation_id"]
    assert (record.command, record.success, bool(record.ended)) == ("build", True, True)
    assert {name: node.status for name, node in record.nodes.items()} == {
        name: item["status"] for name, item in results.items()
    }
    for name, node in record.nodes.items():
        executed = {item["name"]: item for item in results[name]["timing"]}["execute"]
        assert (node.execute_started, node.execute_ended) == (executed["started_at"], executed["completed_at"])
    rows = {node.name: node.rows for node in record.nodes.values() if node.resource_type != "test"}
    assert (rows["raw"], rows["orders"]) == (3, 2)
    plan = run_store.plan(shop.root / "target", record.run_id, "model.small.orders")
    assert plan is not None
    assert plan.relation == "small.orders"

    assert received.states("dbt-run-small") == ["START", "COMPLETE"]
    for job in ("small.small.raw", "small.small.orders", "small.small.doubled"):
        assert received.states(job) == ["START", "COMPLETE"], job
    assert {event["job"]["namespace"] for event in received.events} == {"shop"}
    command = received.event("dbt-run-small", "COMPLETE")["run"]["runId"]
    assert command == record.run_id
    event = received.event("small.small.orders", "COMPLETE")
    assert event["run"]["facets"]["parent"]["run"]["runId"] == command
    assert [item["name"] for item in event["inputs"]] == ["small.raw"]
    (written,) = event["outputs"]
    fields = written["facets"]["schema"]["fields"]
    assert [(item["name"], item["type"]) for item in fields] == [("id", "bigint"), ("total", "double")]
    assert fields[0]["description"] == "Number of the order"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    (total,) = written["facets"]["columnLineage"]["fields"]["total"]["inputFields"]
    assert (total["name"], total["field"]) == ("small.raw", "price")
    assert total["transformations"][0]["subtype"] == "TRANSFORMATION"
    (seed,) = received.event("small.small.raw", "COMPLETE")["outputs"]
    assert [item["type"] for item in seed["facets"]["schema"]["fields"]] == ["bigint", "double"]
    tested = next(name for name in results if name.startswith("test."))
    (read,) = received.event(tested, "COMPLETE")["inputs"]
    (assertion,) = read["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (read["name"], assertion["assertion"], assertion["success"]) == ("small.orders", "unique", True)


def test_a_failure_and_the_nodes_that_it_skips(shop: Project, received: Receiver) -> None:
    with edited(
        shop.root / "models/orders.sql", "{{ config(materialized='table') }} select missing from {{ ref('paid') }}"
    ):
        failed = shop.dbt("run", *NORMAL, OPENLINEAGE_URL=received.url)
    assert failed.returncode == 1
    record = newest(shop)
    assert record.success is False
    statuses = {node.name: node.status for node in record.nodes.values()}
    assert statuses == {"orders": "error", "doubled": "skipped"}
    assert "missing" in record.nodes["model.small.orders"].message
    assert received.states("small.small.orders") == ["START", "FAIL"]
    assert received.states("small.small.doubled") == []
    assert received.states("dbt-run-small") == ["START", "FAIL"]
    retried = shop.dbt("retry")
    assert retried.returncode == 0, retried.stdout
    assert (newest(shop).arguments, newest(shop).success) == ("dbt --no-use-colors retry", True)
    assert {node.name: node.status for node in newest(shop).nodes.values()} == {
        "orders": "success",
        "doubled": "success",
    }


def test_a_receiver_that_is_down_is_one_warning(shop: Project) -> None:
    with receiver() as stopped:
        url = stopped.url
    seeded = shop.dbt("seed", OPENLINEAGE_URL=url)
    assert seeded.returncode == 0, seeded.stdout
    lines = [line for line in seeded.stdout.splitlines() if "OpenLineage" in line or "Connection" in line]
    assert len(lines) == 1, seeded.stdout
    assert "OpenLineage events were not sent" in lines[0]


def test_a_command_without_artifacts_leaves_no_record(shop: Project) -> None:
    before = run_store.records(shop.root / "target")
    assert shop.dbt("--no-write-json", "seed").returncode == 0
    assert shop.dbt("compile").returncode == 0
    with edited(shop.root / "penstock.yml", (shop.root / "penstock.yml").read_text() + "runs: {keep: 0}\n"):
        assert shop.dbt("seed").returncode == 0
    assert run_store.records(shop.root / "target") == before


def test_two_commands_at_once_have_two_records(shop: Project) -> None:
    assert shop.dbt("seed").returncode == 0
    before = {record.run_id for record in run_store.records(shop.root / "target")}
    first = shop.start("dbt", "seed")
    second = shop.dbt("seed")
    first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    new = [record for record in run_store.records(shop.root / "target") if record.run_id not in before]
    assert len(new) == 2
    for record in new:
        assert record.success
        assert {name: node.status for name, node in record.nodes.items()} == {"seed.small.raw": "success"}


def running(project: Project) -> list[RunRecord]:
    """Return the record in which the slow model runs, if its command runs."""
    return [
        record
        for record in run_store.records(project.root / "target")
        if record.is_running and any(node.name == "slow" and node.execute_started for node in record.nodes.values())
    ]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_command(by: signal.Signals, shop: Project, received: Receiver, tmp_path: Path) -> None:
    started = shop.start("dbt", "run", "--select", "slow", OPENLINEAGE_URL=received.url)
    (record,) = wait_until(lambda: running(shop), "the slow model in a record")
    started.send_signal(by)
    started.communicate()
    left = run_store.read(shop.root / "target", record.run_id)
    assert left is not None
    assert not left.is_running
    if by == signal.SIGKILL:
        assert (left.ended, left.success) == ("", None)
    else:
        assert (bool(left.ended), left.success) == (True, False)
        assert left.nodes["model.small.slow"].status == "error"
        assert received.states("small.small.slow")[0] == "START"
        assert received.states("small.small.slow")[-1] in ("FAIL", "ABORT")
        assert received.states("dbt-run-small") == ["START", "FAIL"]
