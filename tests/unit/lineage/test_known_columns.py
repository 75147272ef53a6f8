"""Where the columns of seeds, sources and Python models come from, and which manifest is used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings, load
from penstock.errors import PenstockError
from penstock.lineage import compiled_project, known_columns
from penstock.lineage.manifest_nodes import ManifestNodes

Json = dict[str, Any]
RELATION = {"package_name": "p", "columns": {}, "config": {}}


def _manifest() -> Json:
    python = {**RELATION, "resource_type": "model", "name": "py", "language": "python", "relation_name": "w.py"}
    python["columns"] = {"Documented": {"data_type": "int"}}
    sql = {**RELATION, "resource_type": "model", "name": "m", "language": "sql", "relation_name": "w.m"}
    seed = {**RELATION, "resource_type": "seed", "name": "s", "relation_name": "w.s", "original_file_path": "s.csv"}
    seed["config"] = {"delimiter": ";", "column_types": {"id": "int"}}
    orders = {"resource_type": "source", "name": "orders", "source_name": "raw", "relation_name": "raw.orders"}
    green = {"resource_type": "source", "name": "green", "source_name": "lake", "relation_name": "lake.green"}
    return {
        "nodes": {"model.p.py": python, "model.p.m": sql | {"compiled_code": "select 1 as one"}, "seed.p.s": seed},
        "sources": {"source.p.raw.orders": {**RELATION, **orders}, "source.p.lake.green": {**RELATION, **green}},
    }


def _catalog(folder: Path, unique_id: str, **columns: str) -> None:
    listed = {name: {"name": name, "type": text, "index": -i} for i, (name, text) in enumerate(columns.items())}
    group = "sources" if unique_id.startswith("source") else "nodes"
    (folder / "catalog.json").write_text(json.dumps({group: {unique_id: {"columns": listed}}}))


def test_each_relation_has_its_columns_from_the_first_place_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("\ufeffid;Name\n1;x\n")
    _catalog(tmp_path, "source.p.raw.orders", b="string", a="int")
    asked: list[str] = []

    def describe(relation: str) -> dict[str, str]:
        asked.append(relation)
        return {"from_spark": "int"}

    lake = {"green": {"fare": "double"}}
    known = known_columns.collect(ManifestNodes(_manifest()), tmp_path, tmp_path, lake, describe)
    assert known.columns == {
        "seed.p.s": {"id": "int", "Name": ""},
        "source.p.raw.orders": {"a": "int", "b": "string"},
        "source.p.lake.green": {"fare": "double"},
        "model.p.py": {"from_spark": "int"},
    }
    assert asked == ["w.py"]
    assert known.summary() == "1 from Spark, 1 from seed file, 1 from catalog.json, 1 from lake.yml"


def test_without_a_server_the_documentation_is_used_and_the_rest_is_unknown(tmp_path: Path) -> None:
    known = known_columns.collect(ManifestNodes(_manifest()), tmp_path, tmp_path, {}, None)
    assert known.columns == {}
    assert known.origins["model.p.py"] == "documentation"
    assert known.origins["source.p.raw.orders"] == "nowhere"


def test_a_damaged_catalog_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text("{")
    assert known_columns.collect(ManifestNodes(_manifest()), tmp_path, tmp_path, {}, None).columns == {}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a project with a model, without a compiled manifest."""
    monkeypatch.delenv("PENSTOCK_TARGET", raising=False)
    monkeypatch.delenv("DBT_TARGET_PATH", raising=False)
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    for folder in ("models", "target"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "m.sql").write_text("select 1 as one")
    return load(tmp_path)


def _compiled(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Replace dbt's compilation, and return the list of its calls."""
    calls: list[Settings] = []

    def compile_project(settings: Settings) -> Json:
        calls.append(settings)
        return _manifest()

    monkeypatch.setattr(compiled_project, "_compile", compile_project)
    return calls


def test_the_project_is_compiled_once_until_a_file_changes(project: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _compiled(monkeypatch)
    assert compiled_project.manifest(project) == compiled_project.manifest(project) == _manifest()
    assert len(calls) == 1
    later = (project.root / "target" / "lineage" / "default.json").stat().st_mtime + 10
    os.utime(project.root / "models" / "m.sql", (later, later))
    compiled_project.manifest(project)
    assert len(calls) == 2


def test_dbts_own_manifest_is_used_if_it_has_all_compiled_code(
    project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _compiled(monkeypatch)
    manifest = _manifest()
    path = project.root / "target" / "manifest.json"
    path.write_text(json.dumps(manifest | {"metadata": {}}))
    assert "metadata" in compiled_project.manifest(project)
    assert calls == []
    # dbt's manifest doesn't name its target, so it isn't used with --target.
    monkeypatch.setenv("PENSTOCK_TARGET", "other")
    assert "metadata" not in compiled_project.manifest(project)
    monkeypatch.delenv("PENSTOCK_TARGET")
    (project.root / "target" / "lineage" / "default.json").unlink()
    manifest["nodes"]["model.p.m"]["compiled_code"] = None
    path.write_text(json.dumps(manifest | {"metadata": {}}))
    assert "metadata" not in compiled_project.manifest(project)


def test_a_folder_without_a_project_is_an_error(tmp_path: Path, project: Settings) -> None:
    (project.root / "dbt_project.yml").unlink()
    with pytest.raises(PenstockError) as error:
        compiled_project.manifest(project)
    assert error.value.needed == "a dbt project"
