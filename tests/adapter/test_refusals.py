"""What a person is told: of another catalog, of keys that are there twice, of hooks, of layouts, of freshness."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.projects import Project, small_project

TWICE = "select * from values (1, 'a'), (1, 'b'), (2, 'c'), (2, 'd') as v(id, n)"
MERGED = "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }} " + TWICE
FRESH = {"warn_after": {"count": 1, "period": "day"}}
FILES = {
    "models/base.sql": "{{ config(materialized='table') }} select 1 as id, current_date() as day, 'soon' as word",
    "models/same.sql": "-- {{ ref('base') }}\nselect id from {{ source('same', 'base') }}",
    "models/far.sql": "select * from {{ source('far', 'a') }}",
    "models/placed.sql": "{{ config(database='elsewhere') }} select 1 as id",
    "models/reads_placed.sql": "select '{{ target.database }}' as a from {{ ref('base') }}",
    "models/hooked.sql": (
        "{{ config(materialized='table', post_hook=\"update {{ this }} set id = 2; update {{ this }} set id = 3\") }} "
        "select 1 as id"
    ),
    "models/broken.sql": "select\n  1 as a,\n\n  1 as a,\n  1 as a\nfrom form {{ ref('base') }}",
    "models/merged.sql": MERGED,
    "models/computed.py": (
        "def model(dbt, session):\n"
        "    dbt.config(materialized='incremental', incremental_strategy='merge', unique_key=['ID', 'k'])\n"
        "    return session.sql(\"select 7 as id, 'x' as k, explode(array(1, 2, 3)) as n\")\n"
    ),
    "models/batched.sql": (
        "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', "
        "begin='2024-01-01', batch_size='year', target_file_size_mb='many') }} select 1 as id, date'2024-01-01' as day"
    ),
    "models/batched_far.sql": (
        "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', "
        "begin='2024-01-01', batch_size='year') }} select 1 as id, day from {{ source('far', 'a') }}"
    ),
    "snapshots/nulls.sql": (
        "{% snapshot nulls %}{{ config(unique_key=['k', 'j'], strategy='check', check_cols='all', "
        "hard_deletes='new_record') }}select cast(null as int) as k, 1 as j, {{ var('step', 1) }} as v "
        "union all select cast(null as int), 2, 7 {% if var('step', 1) | int == 3 %}limit 0{% endif %}{% endsnapshot %}"
    ),
    "snapshots/twice.sql": (
        "{% snapshot twice %}{{ config(unique_key='k', strategy='check', check_cols=['v']) }}"
        "select 1 as k, {{ var('step', 1) }} as v union all select 1, {{ var('step', 1) }} + 10{% endsnapshot %}"
    ),
    "snapshots/one_null.sql": (
        "{% snapshot one_null %}{{ config(unique_key='k', strategy='check', check_cols=['v'], "
        "hard_deletes='invalidate') }}select cast(null as int) as k, {{ var('step', 1) }} as v "
        "{% if var('step', 1) | int == 3 %}limit 0{% endif %}{% endsnapshot %}"
    ),
    "models/sources.yml": yaml.safe_dump(
        {
            "sources": [
                {"name": "unused", "database": "somewhere", "schema": "there", "tables": [{"name": "a"}]},
                {"name": "far", "database": "somewhere", "schema": "there", "tables": [{"name": "a"}]},
                {"name": "by_target", "database": "{{ target.database }}", "schema": "no", "tables": [{"name": "a"}]},
                {"name": "same", "database": "Spark_Catalog", "schema": "small", "tables": [{"name": "base"}]},
                {
                    "name": "dated",
                    "schema": "small",
                    "freshness": FRESH,
                    "tables": [
                        {"name": "base", "loaded_at_field": "day"},
                        {"name": "words", "identifier": "base", "loaded_at_field": "word"},
                    ],
                },
            ]
        }
    ),
}
GOOD = ("base", "same", "reads_placed", "merged", "computed")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    return small_project(tmp_path_factory.mktemp("refusing"), FILES, host=host)


def test_a_database_stops_only_what_reads_it(refusing: Project) -> None:
    """The other nodes are built; each error names the source or model, and its file."""
    done = refusing.dbt("run", "--exclude", "broken", "hooked", "batched", "batched_far")
    assert f"PASS={len(GOOD)}" in done.stdout and "ERROR=2" in done.stdout, done.stdout
    assert "needed: the catalog somewhere, for source far.a (models/sources.yml)" in done.stdout
    assert "needed: the catalog elsewhere, for model placed (models/placed.sql)" in done.stdout
    assert refusing.sql("select a from small.reads_placed") == [("spark_catalog",)]


def test_commands_that_read_no_foreign_source_succeed(refusing: Project) -> None:
    """And a source of the default catalog, so named, is in the docs."""
    for command in (["parse"], ["ls"], ["compile", "--select", "same"]):
        done = refusing.dbt(*command)
        assert done.returncode == 0, done.stdout
    for selection in (["--exclude", "far", "batched_far"], ["--select", "same", "source:same", "source:unused"]):
        done = refusing.dbt("docs", "generate", *selection)
        assert done.returncode == 0, done.stdout
        found = json.loads((refusing.root / "target" / "catalog.json").read_text())
        assert "source.small.same.base" in found["sources"] and "model.small.same" in found["nodes"]


def test_freshness_takes_a_date_and_names_what_it_cannot_take(refusing: Project) -> None:
    done = refusing.dbt("source", "freshness")
    assert "PASS freshness of dated.base" in done.stdout, done.stdout
    assert "needed: a timestamp or date as loaded_at_field word of small.base" in done.stdout
    assert "cast(word as timestamp)" in done.stdout


def test_errors_say_what_to_do(refusing: Project) -> None:
    """Keys that are there twice, a hook of two statements, a wrong layout of a microbatch; quoted SQL is whole."""
    done = refusing.dbt("run", "--select", "broken", "hooked", "batched", "batched_far", "merged", "computed")
    assert "found: 2 rows with `id` = '1'; 2 keys occur more than once" in done.stdout, done.stdout
    assert "found: 3 rows with `id` = '7', `k` = 'x'. do: keep one row" in done.stdout
    assert "needed: one statement: a hook is one" in done.stdout
    assert "found: another one after the semicolon: update small.hooked set id = 3" in " ".join(done.stdout.split())
    assert "as target_file_size_mb of model.small.batched" in done.stdout
    assert "found: 'many'" in done.stdout and "of small.batched " not in done.stdout
    assert "in model batched_far (models/batched_far.sql) needed: the catalog somewhere, for source far.a" in " ".join(
        done.stdout.split()
    )
    quoted = done.stdout.split("== SQL ==", 1)[1]
    assert [line.strip() for line in quoted.splitlines()].count("1 as a,") == 2
    assert "PASS=0 " in done.stdout and "ERROR=6" in done.stdout


def test_a_snapshot_names_the_key_that_is_there_twice(refusing: Project) -> None:
    """Its first run stores both rows, as dbt does; the first change can't tell them apart."""
    assert refusing.dbt("snapshot", "--select", "twice").returncode == 0
    done = refusing.dbt("snapshot", "--select", "twice", "--vars", "step: 2")
    assert "rows with `k` = '1'. do: keep one row" in done.stdout, done.stdout


def test_a_null_key_has_one_history(refusing: Project) -> None:
    """A snapshot that runs again adds nothing; a change adds one version, a deletion one or an end."""
    for step in (1, 1, 2, 2, 3, 3):
        done = refusing.dbt("snapshot", "--exclude", "twice", "--vars", f"step: {step}")
        assert done.returncode == 0, done.stdout
    history = "select v, dbt_valid_to is null from small.one_null order by 1"
    assert refusing.sql(history) == [(1, False), (2, False)]
    history = "select j, v, dbt_is_deleted, dbt_valid_to is null from small.nulls order by 1, 2, 3"
    assert refusing.sql(history) == [
        (1, 1, "False", False),
        (1, 2, "False", False),
        (1, 2, "True", True),
        (2, 7, "False", False),
        (2, 7, "True", True),
    ]
