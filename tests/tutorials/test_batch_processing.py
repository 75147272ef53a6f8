"""The tutorial "Batch processing with Spark, hands on": its lessons in order, in one project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.spark import object_stores
from tests.reach.emulators import DELTA, require_packages
from tests.reach.processes import free_port
from tests.reach.wheel_environment import install
from tests.support.pages import Reader
from tests.tutorials import shell
from tests.tutorials.test_your_own_project import INSTALLATION

LESSONS = (
    "batch-processing.md",
    "batch-files-and-sql.md",
    "batch-plans.md",
    "batch-cluster-and-store.md",
    "batch-scheduling.md",
)
INIT = "penstock init trips --template trips"
# The fixture `programs` installs these packages before the first lesson.
STORE = 'pip install "dbt-penstock[s3]" "moto[server]"'
# Ports of the cluster's master and of the store. Other tests of this machine may have a cluster too.
PORTS = ("7077", "5001")
STOP = (
    "penstock down",
    "penstock down --target cluster",
    "penstock cluster down",
    "penstock down --target store",
    # A process may have this number after the store has ended.
    'ps -p "${STORE:-0}" -o args= | grep -q moto_server && kill "$STORE"',
)


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the packages of all lessons."""
    require_packages(DELTA, *object_stores.PACKAGES["s3a"])
    packages = (f"dbt-penstock[s3] @ {wheel.as_uri()}", "moto[server]")
    return install(tmp_path_factory.mktemp("lessons"), *packages, lock="requirements-dev.lock")


@pytest.fixture(scope="module")
def reader(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Someone who reads the lessons in order. Stops all servers that the lessons started."""
    replaced = {**INSTALLATION, STORE: "true", INIT: shell.init(INIT, "trips")}
    made = shell.reader(tmp_path_factory.mktemp("tutorial"), programs, replaced)
    try:
        yield made
    finally:
        made.follow(f"```console\n$ {'; '.join(STOP)}; true\n```\n")


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """A free port for each port of the pages."""
    return {port: str(free_port()) for port in PORTS}


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_lesson_can_be_followed(reader: Reader, ports: dict[str, str], lesson: str) -> None:
    """Each lesson continues in the project of the lessons before it."""
    page = (shell.TUTORIALS / lesson).read_text()
    for port, free in ports.items():
        page = page.replace(port, free)
    reader.follow(page)
