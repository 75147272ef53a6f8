"""One project on a disk, on a cluster, and with its lake and warehouse in S3, GCS and HDFS: the same tables.

Those in a store run on the cluster too, so that its executors have to reach the store by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.lake.manifest import Manifest
from penstock.spark.cluster import record as nodes
from penstock.spark.server import control
from tests.reach import emulators, expected_tables, rides_project, secret_search
from tests.reach.cluster_project import WORKERS, end
from tests.reach.matrix import Matrix
from tests.reach.rides_project import MONTHS, Rides, Tables, month_file

STORES = {"s3": emulators.s3, "gcs": emulators.gcs, "hdfs": emulators.hdfs}
# By kind of node, its cell in the table of the docs.
CELLS = {
    "model.rides.rides": "build",
    "model.rides.zone_months": "build",
    "model.rides.fast_rides": "Python model",
    "model.rides.rides_by_zone": "spark_submit model",
}


@pytest.fixture(scope="session")
def matrix(request: pytest.FixtureRequest) -> Iterator[Matrix]:
    """What is seen; written to the docs with --write-docs."""
    made = Matrix()
    yield made
    if request.config.getoption("--write-docs"):
        made.write()


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every target's months come from."""
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="session")
def clean(raw: Path) -> list[Tables]:
    """Every table by the raw months: as they came first, and with one replaced."""
    before, after = ([month_file(raw, 1, MONTHS[0]), month_file(raw, version, MONTHS[1])] for version in (1, 2))
    made = [expected_tables.tables(*before), expected_tables.tables(*after)]
    assert all(made[0][table] != made[1][table] and made[0][table] for table in made[0])
    return made


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, raw: Path) -> Iterator[Rides]:
    """A project that a cluster of two workers was started for."""
    made = rides_project.make(tmp_path_factory.mktemp("cluster") / "project", raw, "cluster")
    try:
        made.penstock("cluster", "up", *WORKERS)
        yield made
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PENSTOCK_TARGET", "cluster")
            end(made)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["local", "cluster", *STORES])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, raw: Path) -> Iterator[Rides]:
    """The project on a target."""
    name = request.param
    root = tmp_path_factory.mktemp(name)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        section, environment = {}, {}
        if name in STORES:
            (root / "store").mkdir()
            store = stack.enter_context(STORES[name](root / "store"))
            section, environment = store.section, store.environment
        if name != "local":
            found = nodes.read(request.getfixturevalue("cluster").settings)
            assert found
            on = {"master": found.address, "executors": {"count": 1, "cores": 1, "memory": "600m"}}
            section = {**section, "server": {**section.get("server", {}), **on}}
        for key, value in environment.items():
            patch.setenv(key, value)
        made = rides_project.make(root / "project", raw, name, section, environment)
        try:
            yield made
        finally:
            control.down(made.settings)


def test_land(target: Rides, matrix: Matrix) -> None:
    """Two months; the same files again change nothing."""
    assert target.land(1, *MONTHS).count("landed") == 2
    assert target.land(1, *MONTHS).count("unchanged") == 2
    matrix.saw(target.target, "land", "yes")


def test_build(target: Rides, matrix: Matrix, clean: list[Tables]) -> None:
    """SQL, Python over Connect, Python in a driver of its own, and the tests: the rows of the raw months."""
    target.dbt("build")
    assert target.rows() == clean[0]
    results = json.loads((target.project.root / "target" / "run_results.json").read_text())["results"]
    status = {result["unique_id"]: result["status"] for result in results}
    for node, cell in CELLS.items():
        assert status[node] == "success"
        matrix.saw(target.target, cell, "yes")
    tests = [result for node, result in status.items() if node.startswith("test.")]
    assert len(tests) == 5 and set(tests) == {"pass"}
    matrix.saw(target.target, "dbt tests", "yes")


def test_a_replaced_month_and_a_kill(target: Rides, matrix: Matrix, clean: list[Tables]) -> None:
    """An executor is killed with -9 while the month is built, or Spark itself where it has none."""
    assert "replaced" in target.land(2, MONTHS[-1])
    victim = "spark" if target.target == "local" else "executor"
    recovered(target, victim)
    assert target.rows() == clean[1]
    matrix.saw(target.target, "kill", "Spark" if victim == "spark" else "an executor")


def recovered(target: Rides, victim: str) -> None:
    """A run whose server or executor is killed ends well all the same, or says what it lacked and is run again."""
    code, output = target.killed_run(victim)
    if code:
        assert code == 1 and ("needed:" in output or "Database Error" in output), output
        target.dbt("run")


def test_spark_killed_in_between(target: Rides, clean: list[Tables]) -> None:
    """The month as it was before, with the server killed on the way: one more command, and all is right."""
    if target.target != "s3":
        pytest.skip("the store whose commits one server orders")
    assert "replaced" in target.land(1, MONTHS[-1])
    recovered(target, "spark")
    assert target.rows() == clean[0]


def test_the_lake_is_whole(target: Rides) -> None:
    """Every live file is what landed, by its bytes; what was superseded stays for its time of grace."""
    assert "every live file is as it landed" in target.penstock("lake", "--verify")
    assert len(Manifest(target.settings.lake_dir).live()) == len(MONTHS)
    assert "0 removed" in target.penstock("clean")


def test_a_store_leaves_the_disk_alone(target: Rides) -> None:
    """Its lake and warehouse are in the store alone."""
    if target.target not in STORES:
        pytest.skip("a target on this disk")
    assert not (target.project.root / "lake").exists()
    assert not (target.project.root / "warehouse").exists()


def test_nothing_tells_the_credentials(target: Rides, cluster: Rides) -> None:
    """Not a file that anything wrote, nor anything printed, nor a command line, nor Spark's own pages have them."""
    if target.target != "s3":
        pytest.skip("nothing is planted for the others")
    debug = target.dbt("debug")
    assert "All checks passed" in debug
    wrong = {**target.environment, "AWS_SECRET_ACCESS_KEY": ""}
    outputs = [*target.outputs, target.project.penstock("lake", "--target", "s3", **wrong).stdout]
    secrets = (emulators.SECRET, emulators.KEY)
    assert target.environment["AWS_SECRET_ACCESS_KEY"] == emulators.SECRET
    for secret in secrets:
        assert not [text for text in outputs if secret in text]
        assert secret_search.files_with(secret, target.project.root, cluster.project.root) == []
        assert secret_search.command_lines_with(secret) == []
        assert secret not in secret_search.spark_pages(target)
