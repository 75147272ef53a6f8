"""Relations looked up by name: a schema full of others' tables costs a project nothing, and hides nothing."""

from __future__ import annotations

import json

import pytest

from tests.support.projects import Project, small_project

FILES = {
    "models/orders.sql": "{{ config(materialized='table') }} select 1 as id, 'a' as name",
    "models/names.sql": "{{ config(materialized='view') }} select name from {{ ref('orders') }}",
    "models/Mixed.sql": "{{ config(materialized='table') }} select 2 as id",
    "macros/look.sql": """
{% macro look() %}
  {% if execute %}
    {% set one = adapter.get_relation(none, target.schema, 'stranger_7') %}
    {{ log('stranger: ' ~ one ~ ' ' ~ one.type, info=True) }}
    {{ log('nobody: ' ~ adapter.get_relation(none, target.schema, 'nobody'), info=True) }}
  {% endif %}
{% endmacro %}
""",
    "models/looks.sql": "{{ config(materialized='view', enabled=var('look', false)) }} {{ look() }} select 1 as id",
}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """A project in a schema with thirty tables that are none of its own."""
    project = small_project(tmp_path_factory.mktemp("crowded"), FILES, host=host)
    project.sql("create schema small")
    for number in range(30):
        project.sql(f"create table small.stranger_{number} (id bigint) using parquet")
    return project


def statements(project: Project) -> str:
    """What dbt sent since the log was cleared, in lower case."""
    return (project.root / "logs" / "dbt.log").read_text().lower()


def test_a_run_asks_for_its_own_names(crowded: Project) -> None:
    """Twice, so that the second finds its tables; never for a list of the whole schema."""
    for _ in range(2):
        done = crowded.dbt("run")
        assert "PASS=3" in done.stdout, done.stdout
    sent = statements(crowded)
    assert "show table extended in small like 'mixed|names|orders'" in sent
    assert "like '*'" not in sent
    assert "stranger" not in sent


def test_docs_describe_the_projects_relations_alone(crowded: Project) -> None:
    """Every column of the three, with its type."""
    assert crowded.dbt("run").returncode == 0
    (crowded.root / "logs" / "dbt.log").unlink()
    done = crowded.dbt("docs", "generate")
    assert done.returncode == 0, done.stdout
    nodes = json.loads((crowded.root / "target" / "catalog.json").read_text())["nodes"]
    columns = {
        name.rpartition(".")[2]: {column["name"]: column["type"] for column in node["columns"].values()}
        for name, node in nodes.items()
    }
    assert columns == {
        "orders": {"id": "int", "name": "string"},
        "names": {"name": "string"},
        "Mixed": {"id": "int"},
    }
    assert "like '*'" not in statements(crowded)


def test_a_macro_sees_what_is_not_the_projects(crowded: Project) -> None:
    """A stranger's table by its name, and nothing for no table."""
    done = crowded.dbt("run", "--select", "looks", "--vars", "look: true")
    assert "stranger: small.stranger_7 table" in done.stdout, done.stdout
    assert "nobody: None" in done.stdout
