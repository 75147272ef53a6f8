"""Two projects of one machine start their servers at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from thrift.transport.TTransport import TTransportException

from penstock.spark import ports
from penstock.spark.server import control
from tests.support.projects import small_project


def test_two_projects_start_at_once(tmp_path: Path) -> None:
    """They wish for the same ports: each gets a server of its own, and nobody the other's; each has its secret."""
    projects = [small_project(tmp_path / name, {}) for name in ("one", "two")]
    try:
        with ThreadPoolExecutor(2) as pool:
            started = list(pool.map(lambda project: project.penstock("up"), projects))
        assert [done.returncode for done in started] == [0, 0], [done.stdout for done in started]
        for project in projects:
            server = control.current(project.settings)
            assert server and server.spark
            assert ports.is_served_by(server.ports.thrift, server.spark.pid)
            assert ports.is_served_by(server.ports.connect, server.spark.pid)
            project.sql(f"create schema {project.root.name}")
        tokens = []
        for project in projects:
            server = control.current(project.settings)
            assert server
            tokens.append(server.token)
        first = control.current(projects[0].settings)
        assert first and tokens[0] != tokens[1]
        with pytest.raises(TTransportException, match="Error validating the login"):
            replace(first, token=tokens[1]).connect()
        for project, other in zip(projects, reversed(projects), strict=True):
            schemas = {row[0] for row in project.sql("show schemas")}
            assert project.root.name in schemas and other.root.name not in schemas
    finally:
        for project in projects:
            control.down(project.settings)
