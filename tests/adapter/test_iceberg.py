"""Iceberg on a server whose catalog is Iceberg's (docs/how-to/iceberg.md); refused on Delta's by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from penstock.spark.server import control
from tests.support.projects import ROOT, Project, small_project

FILES = {
    "models/trips.sql": "{{ config(materialized='table', partition_by='zone') }} "
    "select id, id % 3 as zone, {{ var('version', 1) }} as version from range(10)",
    "models/merged.sql": "{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }} "
    "select id, {{ var('version', 1) }} as version from range({{ 10 * var('version', 1) }})",
    "models/zones.py": """
def model(dbt, session):
    dbt.config(materialized="table", partition_by="zone")
    return dbt.ref("trips").groupBy("zone").count()
""",
    "models/fails.sql": "{{ config(materialized='table') }} "
    "select {{ \"cast(raise_error('no more') as string)\" if var('version', 1) > 1 else \"'fine'\" }} as word",
    "seeds/rates.csv": "id,name\n1,standard\n2,airport\n",
    "snapshots/kept.sql": """
{% snapshot kept %}
{{ config(unique_key='id', strategy='check', check_cols=['version']) }}
select * from {{ ref('merged') }}
{% endsnapshot %}
""",
}


def documented() -> dict[str, Any]:
    """The server's settings that the documentation gives."""
    text = (ROOT / "docs" / "how-to" / "iceberg.md").read_text()
    block = re.search(r"```yaml\n(# penstock.yml.*?)```", text, re.DOTALL)
    assert block
    server: dict[str, Any] = yaml.safe_load(block.group(1))["server"]
    return server


def rows(project: Project, query: str) -> list[tuple[object, ...]]:
    """A query's rows, in order."""
    return sorted(project.sql(query))


def test_iceberg_tables(tmp_path: Path) -> None:
    """SQL, Python, seed and snapshot; a second run replaces, merges, and leaves a failed table as it was."""
    project = small_project(tmp_path / "ice", FILES, {"file_format": "iceberg"}, **documented())
    try:
        first = project.dbt("build")
        assert first.returncode == 0, first.stdout
        second = project.dbt("build", "--vars", "version: 2")
        assert "no more" in second.stdout and "ERROR=1" in second.stdout, second.stdout
        assert rows(project, "select version, count(*) from small.trips group by 1") == [(2, 10)]
        assert rows(project, "select version, count(*) from small.merged group by 1") == [(2, 20)]
        assert rows(project, "select zone, count from small.zones") == [(0, 4), (1, 3), (2, 3)]
        assert rows(project, "select word from small.fails") == [("fine",)]
        assert rows(project, "select id, name from small.rates") == [(1, "standard"), (2, "airport")]
        assert rows(project, "select count(*) from small.kept where dbt_valid_to is null") == [(20,)]
        present = {row[1] for row in project.sql("show tables in small")}
        assert present == {"trips", "merged", "zones", "fails", "rates", "kept"}
        kinds = {row[1] for row in project.sql("describe extended small.zones") if row[0] == "Provider"}
        assert kinds == {"iceberg"}
        places = {
            row[1].rsplit("/", 1)[1] for row in project.sql("describe extended small.trips") if row[0] == "Location"
        }
        assert places == {"trips"}, "replaced in place, not built aside"
    finally:
        control.down(project.settings)


def test_iceberg_is_refused_on_deltas_catalog(tmp_path: Path, host: Project) -> None:
    """One error that names the setting, for SQL and for Python, before anything is written."""
    files = {name: FILES[name] for name in ("models/trips.sql", "models/zones.py")}
    project = small_project(tmp_path / "delta", files, {"file_format": "iceberg"}, host=host)
    done = project.dbt("run")
    assert done.returncode == 1
    assert "needed: a catalog whose class is org.apache.iceberg.…, for file_format: iceberg" in done.stdout
    assert "Traceback" not in done.stdout
    assert project.sql("show tables in small") == []
