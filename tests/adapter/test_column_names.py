"""Column names in other letter cases than the tables': nothing is added twice, refused or passed over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.support.projects import Project, small_project

# The second run's names are in another letter case than the first one's.
NAMES = "{% set second = var('step', 1) | int > 1 %}{% set n = 'NAME' if second else 'Name' %}"


def incremental(**config: str) -> str:
    """The beginning of an incremental model."""
    given = {"materialized": "'incremental'", **config}
    return f"{{{{ config({', '.join(f'{key}={value}' for key, value in given.items())}) }}}} {NAMES}"


def snapshot(name: str, **config: str) -> str:
    """A snapshot of a row, and of one that goes away."""
    given = ", ".join(f"{key}={value}" for key, value in config.items())
    return (
        f"{{% snapshot {name} %}}{{{{ config({given}) }}}}{NAMES}"
        "select 1 as id, 'a' as {{ n }}, timestamp'2024-01-01' as Changed_At"
        "{% if not second %} union all select 2, 'gone', timestamp'2024-01-01'{% endif %}{% endsnapshot %}"
    )


ROW = "select 1 as id, 'v' as {{ n }}"
PYTHON = """
def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="sync_all_columns")
    return session.sql("select 1 as id, 'v' as " + ("NAME" if dbt.is_incremental else "Name"))
"""
TYPES = {"zip_code": "string"}
DOCUMENTED = {"persist_docs": {"relation": True, "columns": True}}
COLUMNS = [{"name": "ID", "description": "the key"}, {"name": "Name", "description": "a name", "quote": True}]
SCHEMA = {
    "models": [
        {"name": "d_table", "config": DOCUMENTED, "columns": COLUMNS},
        {"name": "d_view", "config": DOCUMENTED, "columns": COLUMNS},
        {
            "name": "contracted",
            "config": {"contract": {"enforced": True}},
            "columns": [{"name": "ID", "data_type": "int"}, {"name": "nAME", "data_type": "string"}],
        },
    ],
    "unit_tests": [
        {
            "name": "any_case",
            "model": "upper_names",
            "given": [{"input": "ref('d_table')", "rows": [{"ID": 3, "nAmE": "x"}]}],
            "expect": {"rows": [{"iD": 3, "UPPER_name": "X"}]},
        }
    ],
}
FILES = {
    "models/appended.sql": incremental(on_schema_change="'append_new_columns'") + ROW,
    "models/synced.sql": incremental(on_schema_change="'sync_all_columns'") + ROW,
    "models/strict.sql": incremental(on_schema_change="'fail'") + ROW,
    "models/merged.sql": incremental(
        incremental_strategy="'merge'", unique_key="'ID'", merge_exclude_columns="['NAME', 'Id']"
    )
    + "select 1 as id, '{{ var('step', 1) }}' as {{ n }}, {{ var('step', 1) }} as V",
    "models/updated.sql": incremental(incremental_strategy="'merge'", unique_key="'ID'", merge_update_columns="['v']")
    + "select 1 as id, '{{ var('step', 1) }}' as {{ n }}, {{ var('step', 1) }} as V",
    "models/days.sql": "{{ config(materialized='table', partition_by='DAY', sorted_within=['ID', 'Day']) }} "
    "select 1 as id, date'2024-01-01' as day",
    "models/day_files.sql": "{{ config(materialized='table', file_format='parquet', partition_by='DAY') }} "
    "select date'2024-01-01' as day, 1 as id",
    "models/d_table.sql": "{{ config(materialized='table') }} select 1 as id, 'a' as Name",
    "models/d_view.sql": "{{ config(materialized='view') }} select 1 as id, 'a' as Name",
    "models/contracted.sql": "{{ config(materialized='table') }} select 'a' as name, 1 as id",
    "models/upper_names.sql": "select ID, upper(NAME) as Upper_Name from {{ ref('d_table') }}",
    "models/python_names.py": PYTHON,
    "models/schema.yml": yaml.safe_dump(SCHEMA),
    "snapshots/checked.sql": snapshot(
        "checked", unique_key="'ID'", strategy="'check'", check_cols="['name']", hard_deletes="'new_record'"
    ),
    "snapshots/checked_all.sql": snapshot("checked_all", unique_key="['Id']", strategy="'check'", check_cols="'all'"),
    "snapshots/timed.sql": snapshot("timed", unique_key="'ID'", strategy="'timestamp'", updated_at="'CHANGED_at'"),
    "seeds/zips.csv": "Zip_Code,n\n00501,1\n",
    "seeds/seeds.yml": yaml.safe_dump(
        {"seeds": [{"name": "zips", "config": {"column_types": {"zip_code": "string"}}}]}
    ),
}


@pytest.fixture(scope="module")
def project(host: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = small_project(tmp_path_factory.mktemp("names"), FILES, host=host)
    for step in (1, 2, 3):
        done = made.dbt("build", "--vars", f"step: {step}")
        assert done.returncode == 0, done.stdout
        assert "not present in the database" not in done.stdout
    yield made


@pytest.mark.parametrize("name", ["appended", "synced", "strict", "python_names"])
def test_a_columns_other_letter_case_is_no_change(project: Project, name: str) -> None:
    rows = project.sql(f"select id, name from small.{name}")
    assert rows == [(1, "v")] * 3
    assert [row[0].lower() for row in project.sql(f"show columns in small.{name}")] == ["id", "name"]


def test_merges_update_the_named_columns(project: Project) -> None:
    assert project.sql("select id, name, v from small.merged") == [(1, "1", 3)]
    assert project.sql("select id, name, v from small.updated") == [(1, "1", 3)]


def test_snapshots_gain_no_version(project: Project) -> None:
    """The row that went away is kept with its values."""
    assert project.sql("select count(*), max(dbt_valid_to) from small.timed where id = 1") == [(1, None)]
    assert project.sql("select count(*), max(dbt_valid_to) from small.checked_all where id = 1") == [(1, None)]
    assert project.sql("select count(*), max(dbt_valid_to) from small.checked where id = 1") == [(1, None)]
    gone = "select name, dbt_is_deleted from small.checked where id = 2 order by 2"
    assert project.sql(gone) == [("gone", "False"), ("gone", "True")]


def test_seeds_and_documents_find_their_columns(project: Project) -> None:
    assert project.sql("select * from small.zips") == [("00501", 1)]
    for name in ("d_table", "d_view"):
        comments = [(row[0], row[2]) for row in project.sql(f"describe small.{name}")]
        assert comments == [("id", "the key"), ("Name", "a name")]


def test_layouts_and_contracts_find_their_columns(project: Project) -> None:
    for name in ("days", "day_files"):
        assert [str(row[0]) for row in project.sql(f"select day from small.{name} where id = 1")] == ["2024-01-01"]
    assert project.sql("select id, name from small.contracted") == [(1, "a")]


def test_a_seeds_type_of_no_column_is_an_error(project: Project) -> None:
    file = project.root / "seeds/seeds.yml"
    file.write_text(file.read_text().replace("zip_code", "zip"))
    done = project.dbt("seed")
    assert done.returncode == 1
    assert "columns of the seed zips as keys of column_types. found: zip; the header has Zip_Code, n." in done.stdout
