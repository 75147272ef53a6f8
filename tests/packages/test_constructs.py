"""One `dbt build` of a project whose local package uses the constructs of published packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages.constructs import CONSTRUCTS, Construct
from tests.support.projects import Project, small_project

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """The built project. A node that fails leaves the others, so that each construct has its own result."""
    files = {str(path.relative_to(DATA)): path.read_text() for path in DATA.rglob("*") if path.is_file()}
    project = small_project(tmp_path_factory.mktemp("constructs"), files, host=host)
    installed = project.dbt("deps")
    assert installed.returncode == 0, installed.stdout
    print(project.dbt("build").stdout)
    return project


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda construct: construct.name)
def test_a_construct(built: Project, outcomes: dict[str, str], construct: Construct) -> None:
    """The rows that the construct's node has written."""
    outcomes[construct.name] = "failed"
    assert [tuple(row) for row in built.sql(construct.query)] == construct.rows
    outcomes[construct.name] = "passed"
