"""`reuse_passed_tests`: a build repeats a test when its SQL or its data changed, and never trusts what it can't see."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.support.projects import Project, edited, small_project

FILES = {
    "dbt_project.yml": (
        "name: small\nversion: 1.0.0\nprofile: small\nflags: {send_anonymous_usage_stats: false}\n"
        "vars: {reuse_passed_tests: true}\n"
    ),
    "seeds/kept.csv": "id,name\n1,a\n",
    "models/seen.sql": "select id, name from {{ ref('kept') }} where id < {{ var('below', 9) }}",
    "models/plain.sql": "{{ config(materialized='table', file_format='parquet') }} select 1 as id",
    "models/all.yml": yaml.safe_dump(
        {
            "sources": [{"name": "lake", "tables": [{"name": "brought"}]}],
            "seeds": [{"name": "kept", "columns": [{"name": "id", "data_tests": ["unique"]}]}],
            "models": [
                {"name": "seen", "columns": [{"name": "id", "data_tests": ["not_null"]}]},
                {"name": "plain", "columns": [{"name": "id", "data_tests": ["unique"]}]},
            ],
            "unit_tests": [
                {
                    "name": "below",
                    "model": "seen",
                    "given": [{"input": "ref('kept')", "rows": [{"id": 10, "name": "x"}, {"id": 3, "name": "y"}]}],
                    "expect": {"rows": [{"id": 3, "name": "y"}]},
                }
            ],
        }
    ),
    "tests/outside.sql": "select * from {{ source('lake', 'brought') }} where id > 1",
    "tests/spelled_out.sql": "select * from {{ ref('kept') }} where id in (select id + 1 from lake.brought)",
    "tests/today.sql": "select * from {{ ref('kept') }} where current_date() < date'2020-01-01'",
}
UNSEEN = {"unique_plain_id", "today", "outside", "spelled_out"}
EVERY = {*UNSEEN, "unique_kept_id", "not_null_seen_id", "below"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    made = small_project(tmp_path_factory.mktemp("passed"), FILES, host=host)
    made.sql("create schema lake")
    made.sql("create table lake.brought using delta as select 1 as id")
    done = made.dbt("build")
    assert done.returncode == 0, done.stdout
    return made


def ran(project: Project, *arguments: str, command: str = "build") -> set[str]:
    """Run dbt, and return which tests sent their query."""
    log = project.root / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    done = project.dbt(command, *arguments)
    assert "Done." in done.stdout, done.stdout
    # Each statement begins after the name of its node; looking a table up is no test's query.
    statements = [part.partition(": ") for part in log.read_text().split("]: On ")[1:]]
    own = ("should_error", "actual_or_expected")
    sent = [node for node, _, text in statements if any(word in re.split(r"\n\d\d:\d\d:", text)[0] for word in own)]
    return {name for name in EVERY if any(f".{name}" in node for node in sent)}


def test_only_what_cannot_be_seen_is_repeated(project: Project) -> None:
    """A Parquet table has no commits, the date is another one tomorrow, a table may be named without `source`, and a
    schema `lake` needn't be penstock's.
    """
    assert ran(project) == UNSEEN
    saved = json.loads((project.root / "target" / "passed_tests.json").read_text())
    assert saved["reused"] == 3


def test_a_commit_by_anybody_has_its_tests_repeated(project: Project) -> None:
    ran(project)
    project.sql("insert into small.kept values (2, 'b')")
    assert {"unique_kept_id", "not_null_seen_id"} <= ran(project)
    assert ran(project) == UNSEEN


def test_a_test_that_failed_is_repeated(project: Project) -> None:
    with edited(project.root / "seeds" / "kept.csv", "id,name\n1,a\n1,b\n"):
        for loaded in ("INSERT 2", "unchanged"):
            done = project.dbt("build", "--select", "kept")
            assert loaded in done.stdout and "FAIL 1 unique_kept_id" in done.stdout, done.stdout


def test_another_view_has_its_tests_repeated(project: Project) -> None:
    assert "not_null_seen_id" in ran(project, "--vars", "below: 8")
    assert "not_null_seen_id" in ran(project)
    assert "not_null_seen_id" not in ran(project)


def test_a_unit_test_of_other_rows_is_repeated(project: Project) -> None:
    file = project.root / "models" / "all.yml"
    with edited(file, file.read_text().replace("id: 3", "id: 4")):
        assert "below" in ran(project)
    with edited(file, file.read_text().replace("id: 10", "id: 5")):
        done = project.dbt("build", "--select", "seen")
        assert "FAIL 1 seen::below" in done.stdout, done.stdout


@pytest.mark.parametrize(("command", "arguments"), [("test", ()), ("build", ("--vars", "reuse_passed_tests: false"))])
def test_a_person_may_have_all_of_them_repeated(project: Project, command: str, arguments: tuple[str, ...]) -> None:
    assert ran(project, *arguments, command=command) == EVERY


def test_what_stores_its_failures_is_repeated(project: Project) -> None:
    ran(project)
    assert "unique_kept_id" in ran(project, "--store-failures")
