"""One metastore for several servers: a PostgreSQL database, and one that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from penstock.spark.server import control, record
from tests.reach import postgres as databases
from tests.reach.postgres import Postgres
from tests.reach.processes import content, files
from tests.support.projects import INTERPRETED, QUICK, Project, small_project

MODEL = "{{ config(materialized='table') }} select id, 'x' as word from range(10)"


def settings_file(project: Project, metastore: str) -> None:
    """Its penstock.yml, with that metastore."""
    server: dict[str, Any] = {"memory": "1g", "java_options": [QUICK], "spark_conf": INTERPRETED}
    text = yaml.safe_dump({"version": 1, "metastore": metastore, "server": server})
    (project.root / "penstock.yml").write_text(text)


@pytest.fixture(scope="module")
def two(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    """Two projects whose servers started at the same moment on an empty database; the second can't log in by itself."""
    root = tmp_path_factory.mktemp("metastore")
    projects = (
        small_project(root / "one", {"models/a.sql": MODEL}),
        small_project(root / "two", {}),
    )
    try:
        for project in projects:
            settings_file(project, postgres.address)
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda project: project.penstock("up", **postgres.login), projects))
        assert [up.returncode for up in done] == [0, 0], [up.stdout for up in done]
        assert all(postgres.address in up.stdout for up in done)
        yield projects
    finally:
        for project in projects:
            control.down(project.settings)


def test_servers_see_each_others_tables(two: tuple[Project, Project], postgres: Postgres) -> None:
    """A table that dbt builds on one is read, written and dropped on the other."""
    one, other = two
    built = one.dbt("build", **postgres.login)
    assert built.returncode == 0, built.stdout
    assert other.sql("select count(*), max(id) from small.a") == [(10, 9)]
    other.sql("insert into small.a values (10, 'y')")
    other.sql("create view small.v as select word, count(*) as n from small.a group by word")
    assert one.sql("select * from small.v order by word") == [("x", 10), ("y", 1)]
    one.sql("drop table small.a")
    assert [row[1] for row in other.sql("show tables in small")] == ["v"]
    assert int(postgres.sql('select count(*) from "TBLS"')) == 1


def test_the_login_stands_nowhere(two: tuple[Project, Project]) -> None:
    """No file of the project, no argument and no JVM's environment has it."""
    for project in two:
        running = control.current(project.settings)
        assert running
        for path in files(project.settings.state_dir):
            if "cds" not in path.parts and "jars" not in path.parts:
                text = content(path)
                assert databases.PASSWORD.encode() not in text and databases.USER.encode() not in text, path
        assert running.spark and running.metastore
        for known in (running.spark, running.metastore):
            process = psutil.Process(known.pid)
            everything = " ".join([*process.cmdline(), *process.environ().values()])
            assert databases.PASSWORD not in everything and databases.USER not in everything
        assert databases.PASSWORD not in " ".join(psutil.Process(running.supervisor.pid).cmdline())


def test_a_wrong_password_is_told_without_names(
    two: tuple[Project, Project], postgres: Postgres, tmp_path: Path
) -> None:
    """In the database's own words; neither the message nor a log has the login."""
    project = small_project(tmp_path / "project", {})
    settings_file(project, postgres.address)
    wrong = {**postgres.login, "PENSTOCK_METASTORE_PASSWORD": "not-That-one"}
    up = project.penstock("up", **wrong)
    assert up.returncode == 1 and "password authentication failed" in up.stdout, up.stdout
    assert up.stdout.count("needed:") == 1
    logs = "".join(path.read_text(errors="replace") for path in project.settings.state_dir.rglob("*.log"))
    for text in (up.stdout, logs):
        assert "not-That-one" not in text and databases.USER not in text
    assert record.read(project.settings) is None


def test_one_that_runs_already_is_used_and_none_started(two: tuple[Project, Project], tmp_path: Path) -> None:
    """A server of a project without a login, on the metastore of another server."""
    one, _ = two
    running = control.current(one.settings)
    assert running
    one.sql("create table if not exists small.kept using delta as select 7 as n")
    project = small_project(tmp_path / "project", {})
    settings_file(project, f"thrift://127.0.0.1:{running.ports.metastore}")
    try:
        up = project.penstock("up")
        assert up.returncode == 0 and "not managed by penstock" in up.stdout, up.stdout
        mine = control.current(project.settings)
        assert mine and mine.metastore is None and mine.shared
        assert project.sql("select n from small.kept") == [(7,)]
        assert not (project.settings.state_dir / "metastore_db").exists()
    finally:
        control.down(project.settings)
    assert control.current(one.settings) == running
