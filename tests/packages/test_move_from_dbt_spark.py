"""A dbt-spark project moves to penstock by changing its profile alone, and ANSI mode can be turned off again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from penstock.spark.server import control
from tests.support.projects import Project, edited, small_project

DELTA = {kind: {"+file_format": "delta"} for kind in ("models", "seeds", "snapshots")}
SETTINGS = {
    "name": "small",
    "version": "1.0.0",
    "profile": "small",
    "flags": {"send_anonymous_usage_stats": False},
    **DELTA,
}
FILES = {
    "dbt_project.yml": yaml.safe_dump(SETTINGS),
    "packages.yml": "packages: [{local: helpers}]\n",
    "helpers/dbt_project.yml": "name: helpers\nversion: 1.0.0\n",
    "helpers/macros/engine.sql": (
        "{% macro engine() %}{% if target.type == 'spark' %}spark{% else %}"
        "{{ exceptions.raise_compiler_error('helpers supports spark only') }}{% endif %}{% endmacro %}"
    ),
    "seeds/orders.csv": "id,amount\n1,10\n2,20\n",
    "models/merged.sql": (
        "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }} "
        "select id, amount, '{{ helpers.engine() }}' as engine from {{ ref('orders') }}"
    ),
    "models/counted.sql": "-- {{ ref('orders') }}\nselect count(*) as n from {{ source('raw', 'orders') }}",
    "models/sources.yml": yaml.safe_dump(
        {"sources": [{"name": "raw", "database": "small", "schema": "small", "tables": [{"name": "orders"}]}]}
    ),
    "snapshots/history.sql": (
        "{% snapshot history %}{{ config(target_schema='small', unique_key='id', strategy='check', "
        "check_cols='all') }}select id, amount from {{ ref('orders') }}{% endsnapshot %}"
    ),
}
QUERIES = (
    "select id, amount, engine from small.merged order by id",
    "select n from small.counted",
    "select id, amount, dbt_valid_to is null from small.history order by id",
)
BAD_CAST = "{{ config(materialized='table') }} select cast('none' as int) as n"
ANSI_OFF = {"spark.sql.ansi.enabled": False}


def profile(**target: Any) -> str:
    """Return profiles.yml."""
    return yaml.safe_dump({"small": {"target": "dev", "outputs": {"dev": {"schema": "small", "threads": 2, **target}}}})


def rows(project: Project) -> list[list[tuple[Any, ...]]]:
    """Return the rows of all tables."""
    return [[tuple(row) for row in project.sql(query)] for query in QUERIES]


@pytest.mark.core
def test_a_project_moves_by_its_profile_alone(tmp_path_factory: pytest.TempPathFactory, host: Project) -> None:
    """dbt-spark builds it, then penstock goes on with the same tables, and builds them again."""
    project = small_project(tmp_path_factory.mktemp("moved"), FILES, host=host)
    server = control.current(project.settings)
    assert server
    stock = {"type": "spark", "method": "thrift", "host": "127.0.0.1", "port": server.ports.thrift}
    login = {"user": "dbt", "auth": "CUSTOM", "password": server.token, "poll_interval": 0}
    penstock = (project.root / "profiles.yml").read_text()
    installed = project.dbt("deps")
    assert installed.returncode == 0, installed.stdout
    with edited(project.root / "profiles.yml", profile(**stock, **login)):
        done = project.dbt("build")
        assert done.returncode == 0, done.stdout
    assert (project.root / "profiles.yml").read_text() == penstock
    before = rows(project)
    assert before[0] == [(1, 10, "spark"), (2, 20, "spark")]
    for options in ([], ["--full-refresh"]):
        done = project.dbt("build", *options)
        assert done.returncode == 0, done.stdout
        assert rows(project) == before


@pytest.mark.parametrize(
    ("target", "model"),
    [
        ({"server_side_parameters": ANSI_OFF}, BAD_CAST),
        ({}, "{{ config(spark_conf=" + str(ANSI_OFF) + ") }}" + BAD_CAST),
    ],
    ids=["profile", "model"],
)
def test_a_bad_cast_is_null_again_without_ansi_mode(
    tmp_path_factory: pytest.TempPathFactory, host: Project, target: dict[str, Any], model: str
) -> None:
    """By default it is an error, as in Spark 4."""
    project = small_project(tmp_path_factory.mktemp("ansi"), {"models/cast.sql": BAD_CAST}, host=host)
    done = project.dbt("run")
    assert done.returncode == 1 and "CAST_INVALID_INPUT" in done.stdout, done.stdout
    with (
        edited(project.root / "profiles.yml", profile(type="penstock", keep_plans=False, **target)),
        edited(project.root / "models" / "cast.sql", model),
    ):
        done = project.dbt("run")
        assert done.returncode == 0, done.stdout
    assert [tuple(row) for row in project.sql("select n from small.cast")] == [(None,)]
