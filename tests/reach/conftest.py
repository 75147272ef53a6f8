"""Fixtures of several modules: a cluster, a database, and an environment with the wheel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reach import cluster_project
from tests.reach import postgres as databases
from tests.reach.cluster_project import Clustered
from tests.reach.external_tools import missing
from tests.reach.postgres import Postgres
from tests.reach.wheel_environment import bin_, wheel

__all__ = ["bin_", "built", "postgres", "wheel"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with an empty database."""
    where = databases.programs()
    if where is None:
        missing("needed: PostgreSQL's programs. found: none. do: apt-get install postgresql")
    with databases.running(where) as server:
        yield server


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """A small project on a cluster of two workers, with a running server and all tables built; tests leave it so."""
    made = cluster_project.make(tmp_path_factory.mktemp("clustered") / "project")
    with cluster_project.built(made):
        yield made
