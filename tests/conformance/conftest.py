"""One server for the whole session, and dbt's own fixtures pointed at it."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest
import yaml

from penstock.config.settings import Settings, load
from penstock.spark.server import control
from penstock.spark.server.record import Record
from tests.conformance import adapters, dialect, known_gaps, report
from tests.support.projects import INTERPRETED, QUICK
from tests.support.rest_catalog import rest_catalog

ROOT = Path(__file__).resolve().parents[2]
# Tables of a few rows: more partitions only cost tasks.
SPARK_CONF = {
    **INTERPRETED,
    "spark.sql.shuffle.partitions": 1,
    "spark.default.parallelism": 2,
    "spark.databricks.delta.snapshotPartitions": 1,
    "spark.ui.enabled": False,
}
DROP_SCHEMA = re.compile(r"drop schema if exists (\S+) cascade", re.IGNORECASE)


def pytest_configure(config: pytest.Config) -> None:
    # pytest refuses `pytest_plugins` in a conftest below the first one.
    config.pluginmanager.import_plugin("dbt.tests.fixtures.project")
    config.addinivalue_line("filterwarnings", "ignore:Class-scoped fixtures defined as instance methods")
    # A test stops Python's clock. gRPC computes deadlines from that clock, so all of its calls would be late.
    freezegun.configure(extend_ignore_list=["grpc"])
    recorder = report.Recorder(config.getoption("--record"))
    recorder.check(config)
    config.pluginmanager.register(recorder)


@pytest.fixture(scope="module", autouse=True)
def collected_between_modules() -> Iterator[None]:
    """Collect garbage only between modules: dbt runs in this process and keeps many objects."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures that the tested configuration is known for. A test that passes in spite of that fails."""
    for item in items:
        if reason := known_gaps.reason(item.nodeid.split("conformance/", 1)[-1]):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="session")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The server's Iceberg catalogs: a running REST catalog if the tested configuration needs one."""
    if adapters.COLUMN != "iceberg":
        yield {}
        return
    with rest_catalog(tmp_path_factory.mktemp("rest")) as rest:
        yield {adapters.CATALOG: {"type": "rest", "uri": rest.uri}}


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, catalogs: dict[str, Any]) -> Settings:
    """Settings of the session's server; every test's project has the same, with absolute folders."""
    root = tmp_path_factory.mktemp("server")
    state = root / ".penstock"
    state.mkdir()
    for shared in ("jars", "cds"):
        (ROOT / ".penstock" / shared).mkdir(parents=True, exist_ok=True)
        (state / shared).symlink_to(ROOT / ".penstock" / shared)
    (root / "penstock.yml").write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "state": str(state),
                "warehouse": str(root / "warehouse"),
                "server": {"memory": "3g", "java_options": [QUICK], "spark_conf": SPARK_CONF, "catalogs": catalogs},
            }
        )
    )
    return load(root)


@pytest.fixture(scope="session")
def server(settings: Settings) -> Iterator[Record]:
    """The session's server."""
    try:
        yield control.up(settings)
    finally:
        control.down(settings)


@pytest.fixture(scope="class")
def dbt_profile_target(server: Record) -> dict[str, Any]:
    return adapters.target(server)


@pytest.fixture(scope="class")
def profile_user() -> Any:
    return adapters.OWNER


@pytest.fixture(scope="class")
def project_root(tmpdir_factory: Any, settings: Settings) -> Any:
    """The test's project, with the settings of the running server."""
    folder = tmpdir_factory.mktemp("project")
    Path(folder, "penstock.yml").write_text((settings.root / "penstock.yml").read_text())
    return folder


@pytest.fixture(scope="class")
def logs_dir(tmpdir_factory: Any) -> Iterator[str]:
    """dbt's log, outside the checkout."""
    folder = str(tmpdir_factory.mktemp("logs"))
    os.environ["DBT_LOG_PATH"] = folder
    yield folder
    del os.environ["DBT_LOG_PATH"]


@pytest.fixture(scope="class")
def project(project: Any) -> Any:
    """The test's dbt project; `run_sql` translates the published tests' PostgreSQL scripts."""
    run_published = project.run_sql

    def run_one(sql: str, fetch: str | None) -> Any:
        """Run a statement. No catalog of Iceberg drops a schema with its tables, so the adapter has to do this."""
        dropped = DROP_SCHEMA.fullmatch(sql) if adapters.COLUMN == "iceberg" else None
        if not dropped:
            return run_published(sql, fetch)
        with project.adapter.connection_named("_test"):
            project.adapter.drop_schema(project.adapter.Relation.create(project.database, dropped[1]))
        return None

    def run_sql(sql: str, fetch: str | None = None) -> Any:
        """Run each statement and return the rows of the last one."""
        results = [run_one(statement, fetch) for statement in dialect.statements(dialect.spark(sql))]
        return results[-1] if results else None

    project.run_sql = run_sql
    return project
