"""What a run asks the server about relations: once while they stay, again after they changed; and unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.projects import Project, edited, small_project

WATCHED = ("altered", "replaced", "grown", "computed", "viewed")
SEEN = ", ".join(f"'{{{{ seen('{name}') }}}}' as {name}" for name in WATCHED)
ORDER = "-- depends_on: {{ ref('before') }}\n"
MORE = "select 1 as id{% if var('v', 1) == 2 %}, 2 as more{% endif %}"
CHECKED = [
    ("greater_ids", [{"id": 1, "note": "it's"}, {"id": 3, "note": None}], [{"id": 3}]),
    ("no_rows", [], []),
    ("another_id", [{"id": 9, "note": "two\nlines"}], [{"id": 9}]),
]
UNIT_TESTS = [
    {
        "name": name,
        "model": "incremented",
        "overrides": {"macros": {"is_incremental": True}},
        "given": [{"input": "ref('stays')", "rows": rows}, {"input": "this", "rows": [{"id": 2, "note": "old"}]}],
        "expect": {"rows": expected},
    }
    for name, rows, expected in CHECKED
]
FILES = {
    "macros/seen.sql": (
        "{% macro seen(name) %}{{ adapter.get_columns_in_relation(api.Relation.create(schema='small', "
        "identifier=name)) | map(attribute='name') | join(' ') if execute }}{% endmacro %}"
    ),
    "models/before.sql": "{{ config(materialized='table') }} select " + SEEN,
    "models/altered.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/hooked.sql": (
        "{{ config(materialized='table', post_hook=\"alter table small.altered add columns (hooked int)\" "
        "if var('v', 1) == 2 else '') }}" + ORDER + "select 1 as id"
    ),
    "models/replaced.sql": "{{ config(materialized='table') }}" + ORDER + MORE,
    "models/viewed.sql": ORDER + MORE,
    "models/grown.sql": (
        "{{ config(materialized='incremental', on_schema_change='append_new_columns') }}" + ORDER + MORE
    ),
    "models/computed.py": (
        "def model(dbt, session):\n    dbt.config(materialized='table')\n    dbt.ref('before')\n"
        "    frame = session.range(1)\n"
        "    return frame.withColumn('more', frame.id) if dbt.config.get('v') == 2 else frame\n"
    ),
    "models/after.sql": (
        "{{ config(materialized='table') }}\n"
        + "".join(f"-- depends_on: {{{{ ref('{name}') }}}}\n" for name in ("hooked", *WATCHED[1:]))
        + "select "
        + SEEN
    ),
    "models/stays.sql": "{{ config(materialized='table') }} select 1 as id, 'a' as note",
    "models/first.sql": "{{ config(materialized='table') }} select '{{ seen('stays') }}' as columns",
    "models/second.sql": (
        "{{ config(materialized='table') }} -- depends_on: {{ ref('first') }}\nselect '{{ seen('stays') }}' as columns"
    ),
    "models/incremented.sql": (
        "{{ config(materialized='incremental') }} select id, note from {{ ref('stays') }}"
        "{% if is_incremental() %} where id > (select max(id) from {{ this }}){% endif %}"
    ),
    "models/all.yml": yaml.safe_dump(
        {
            "models": [{"name": "computed", "config": {"v": "{{ var('v', 1) }}"}}],
            "unit_tests": UNIT_TESTS,
        }
    ),
    "tests/nothing.sql": "select 1 as number where false",
    "tests/stored.sql": "{{ config(store_failures=true) }} select 1 as number where false",
    "tests/counted.sql": "{{ config(fail_calc='count(*) + 2') }} select 1 as number where false",
}


@pytest.fixture(scope="module")
def built(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = small_project(tmp_path_factory.mktemp("descriptions"), FILES, host=host)
    done = project.dbt("run")
    assert done.returncode == 0, done.stdout
    yield project


def sent(project: Project, *command: str) -> tuple[str, list[str]]:
    """The output of a dbt command, and the statements that it sent."""
    log = project.root / "logs" / "dbt.log"
    log.unlink(missing_ok=True)
    done = project.dbt(*command)
    # A statement follows dbt's comment.
    entries = log.read_text().split("[debug] [")
    return done.stdout, [found for entry in entries if (found := " ".join(entry.partition("*/")[2].split()))]


def test_a_relation_that_changed_in_the_run_is_described_again(built: Project) -> None:
    """By a hook, a replacement, a schema change, a Python model and a view that is made again."""
    done = built.dbt("run", "--exclude", "altered", "--vars", "v: 2")
    assert done.returncode == 0, done.stdout
    (before,) = built.sql(f"select {', '.join(WATCHED)} from small.before")
    (after,) = built.sql(f"select {', '.join(WATCHED)} from small.after")
    assert list(before) == ["id"] * 5
    assert list(after) == ["id hooked", "id more", "id more", "id more", "id more"]


def test_a_relation_that_stays_is_described_once(built: Project) -> None:
    output, statements = sent(built, "run", "--select", "first", "second")
    assert "PASS=2" in output
    assert sum("describe extended small.stays" in statement for statement in statements) == 1
    assert built.sql("select columns from small.second") == [("id note",)]


def test_unit_tests_take_one_statement_each_and_share_descriptions(built: Project) -> None:
    output, statements = sent(built, "test", "--select", "incremented")
    assert f"PASS={len(CHECKED)}" in output, output
    assert sum("dbt_internal_unit_test_actual as (" in statement for statement in statements) == len(CHECKED)
    described = [statement for statement in statements if statement.startswith("describe")]
    # Two inputs; queries with rows of both inputs, and the one with an input that has none.
    assert sorted(statement[:17] for statement in described) == ["describe extended"] * 2 + ["describe query wi"] * 2
    assert not any("temporary view" in statement or "drop " in statement for statement in statements)


def test_a_unit_test_that_fails_shows_the_rows(built: Project) -> None:
    wrong: Path = built.root / "models" / "all.yml"
    tests = [{**UNIT_TESTS[0], "expect": {"rows": [{"id": 4}]}}, {**UNIT_TESTS[1], "expect": {"rows": [{"none": 4}]}}]
    with edited(wrong, yaml.safe_dump({"unit_tests": tests})):
        output = built.dbt("test", "--select", "incremented").stdout
    assert "actual differs from expected" in output and "+++,3" in output and "---,4" in output, output
    assert "Invalid column name: 'none' in unit test fixture for expected output" in output


def test_a_data_test_that_surely_finds_nothing_sends_no_statement(built: Project) -> None:
    """Unless its failures are stored, or counted in another way."""
    output, statements = sent(built, "test", "--select", "test_type:singular")
    assert "PASS=2" in output and "ERROR=1" in output and "Got 2 results" in output, output
    assert sum("as should_error" in statement for statement in statements) == 2
    assert built.sql("select count(*) from small_dbt_test__audit.stored") == [(0,)]
