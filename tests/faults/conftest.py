"""A built project, up, for the tests of a module to break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from faulty import FILES
from projects import Project, small_project

from penstock.server import control


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A built project with its server up; a test may end the server, not change the files."""
    made = small_project(tmp_path_factory.mktemp("faulty"), FILES)
    try:
        done = made.dbt("build")
        assert done.returncode == 0, done.stdout
        yield made
    finally:
        control.down(made.settings)
