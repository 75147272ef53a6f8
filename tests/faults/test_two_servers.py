"""Two projects of one machine start their servers at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from projects import small_project

from penstock.server import control, ports


def test_two_projects_start_at_once(tmp_path: Path) -> None:
    """They wish for the same ports: each gets a server of its own, and nobody the other's."""
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
        for project, other in zip(projects, reversed(projects), strict=True):
            schemas = {row[0] for row in project.sql("show schemas")}
            assert project.root.name in schemas and other.root.name not in schemas
    finally:
        for project in projects:
            control.down(project.settings)
