"""Projects with real servers, which stop after the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.spark.server import control
from tests.support.projects import Project, make_project


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the sample lake, built once; tests leave it as it was."""
    project = make_project(tmp_path_factory.mktemp("sampled"))
    with (project.root / "penstock.yml").open("a") as file:
        file.write("\nruns: {keep: 500}\n")  # the record of the first build stays, whatever tests run later
    try:
        done = project.penstock("quickstart")
        assert done.returncode == 0, done.stdout[-6000:]
        (project.root / "quickstart.txt").write_text(done.stdout)
        yield project
    finally:
        control.down(project.settings)


@pytest.fixture(scope="session")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose lake is empty at first; tests land the small months of green that they need."""
    made = make_project(tmp_path_factory.mktemp("growing"))
    try:
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with an empty lake and no server yet."""
    made = make_project(tmp_path / "project")
    try:
        yield made
    finally:
        control.down(made.settings)
