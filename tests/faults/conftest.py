"""Built projects with running servers, for tests to break."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from penstock.config.settings import load
from penstock.spark.server import control
from tests.faults.small_faults_project import FILES, SLOTS
from tests.faults.trips_project import Trips, make
from tests.support.projects import Project, small_project


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server for the small projects of one module after another."""
    made = small_project(tmp_path_factory.mktemp("host"), {}, master=SLOTS)
    try:
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """A built project with its server running; a test may stop the server but not change the files."""
    made = small_project(tmp_path_factory.mktemp("faulty"), FILES, host=host)
    done = made.dbt("build")
    assert done.returncode == 0, done.stdout
    return made


@pytest.fixture(scope="session")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trips]:
    """The checkout's dbt project with three months built; after a test the last month is complete in either version."""
    root = tmp_path_factory.mktemp("trips")
    try:
        yield make(root)
    finally:
        settings = load(root / "project")
        control.down(settings)
        subprocess.run(["umount", "-l", str(settings.warehouse_dir)], capture_output=True)
