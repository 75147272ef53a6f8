"""A server for the suite, and the page of results."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.spark.server import control
from tests.packages import page
from tests.packages.constructs import CONSTRUCTS
from tests.support.projects import Project, small_project


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The server of all projects of the suite."""
    made = small_project(tmp_path_factory.mktemp("host"), {})
    try:
        yield made
    finally:
        control.down(made.settings)


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The outcome of each construct. With --write-docs they are written to the page after all constructs ran."""
    found: dict[str, str] = {}
    yield found
    if request.config.getoption("--write-docs") and len(found) == len(CONSTRUCTS):
        page.PAGE.write_text(page.page(found))
