"""Copies of dbt's artifacts: after dbt commands with the setting, and with `penstock artifacts`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock import artifacts
from penstock.config.settings import load
from penstock.errors import PenstockError
from tests.support import forked_commands
from tests.support.projects import TIMEOUT

SETTING = "artifacts: {adapter_type: spark}\n"
PROFILES = "shop: {target: dev, outputs: {dev: {type: penstock, schema: shop}}}\n"
PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n"


def run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program without the user's variables of dbt and penstock."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_"))}
    environment = {**kept, "NO_COLOR": "1", "COLUMNS": "200", "DBT_PROFILES_DIR": str(folder)}
    return forked_commands.run(program, folder, environment, list(arguments), TIMEOUT)


def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def write_artifacts(folder: Path, *names: str) -> None:
    """Write a manifest, and other artifacts."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"metadata": {"adapter_type": "penstock", "project_name": "größe"}, "nodes": {}}
    (folder / "manifest.json").write_text(json.dumps(content))
    for name in names:
        (folder / name).write_text('{"metadata": {}}\n')


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the content of each file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project with one model."""
    files = {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, "models/one.sql": "select 1 as id"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_dbt_writes_copies_only_with_the_setting(project: Path) -> None:
    done = run("dbt", project, "parse")
    assert done.returncode == 0, done.stdout
    assert not (project / "target" / "spark").exists()
    (project / "penstock.yml").write_text(SETTING)
    done = run("dbt", project, "parse")
    assert done.returncode == 0, done.stdout
    original, copy = manifest(project / "target"), manifest(project / "target" / "spark")
    assert original["metadata"].pop("adapter_type") == "penstock"
    assert copy["metadata"].pop("adapter_type") == "spark"
    assert copy == original


def test_the_copies_are_in_the_target_folder_of_the_command(project: Path) -> None:
    (project / "penstock.yml").write_text(SETTING)
    done = run("dbt", project, "ls", "--target-path", "elsewhere")
    assert done.returncode == 0, done.stdout
    assert manifest(project / "elsewhere" / "spark")["metadata"]["adapter_type"] == "spark"
    assert not (project / "target" / "spark").exists()


def test_without_artifacts_dbt_writes_no_copies(project: Path) -> None:
    (project / "penstock.yml").write_text(SETTING)
    write_artifacts(project / "target")
    done = run("dbt", project, "--no-write-json", "parse")
    assert done.returncode == 0, done.stdout
    assert not (project / "target" / "spark").exists()


def test_dbt_fails_if_the_copies_cannot_be_written(project: Path) -> None:
    (project / "penstock.yml").write_text(SETTING)
    (project / "target").mkdir()
    (project / "target" / "spark").write_text("a file in place of the folder")
    done = run("dbt", project, "parse")
    assert done.returncode == 2, done.stdout
    assert "copies of the artifacts: needed: a folder" in done.stdout
    assert "Traceback" not in done.stdout
    assert manifest(project / "target")["metadata"]["adapter_type"] == "penstock"


def test_a_failure_of_dbt_keeps_its_exit_code(project: Path) -> None:
    (project / "penstock.yml").write_text(SETTING)
    write_artifacts(project / "target")
    (project / "target" / "catalog.json").write_text("{")
    done = run("dbt", project, "run-operation", "missing_macro")
    outcome, expected = done.returncode, run_without_the_setting(project)
    assert outcome == expected != 0
    assert "copies of the artifacts: needed: catalog.json as JSON" in done.stdout


def run_without_the_setting(project: Path) -> int:
    """Return the exit code of the failing command without copies."""
    (project / "penstock.yml").unlink()
    return run("dbt", project, "run-operation", "missing_macro").returncode


def test_the_command_writes_the_copies(project: Path) -> None:
    write_artifacts(project / "target", "catalog.json", "run_results.json")
    done = run("penstock", project, "artifacts")
    assert done.returncode == 0, done.stdout
    copies = content_of(project / "target" / "spark")
    assert set(copies) == {"manifest.json", "catalog.json", "run_results.json"}
    assert copies["catalog.json"] == (project / "target" / "catalog.json").read_bytes()
    metadata = json.loads(copies["manifest.json"])["metadata"]
    assert metadata == {"adapter_type": "spark", "project_name": "größe"}
    assert str(project / "target" / "spark" / "run_results.json") in done.stdout


def test_the_type_of_the_copies_names_their_folder(project: Path) -> None:
    write_artifacts(project / "target")
    done = run("penstock", project, "artifacts", "--adapter-type", "databricks")
    assert done.returncode == 0, done.stdout
    assert manifest(project / "target" / "databricks")["metadata"]["adapter_type"] == "databricks"
    assert not (project / "target" / "spark").exists()


def test_the_command_accepts_other_folders(project: Path) -> None:
    write_artifacts(project / "built")
    options = ("--target-path", "built", "--output", "public/artifacts", "--adapter-type", "spark")
    done = run("penstock", project, "artifacts", *options)
    assert done.returncode == 0, done.stdout
    assert manifest(project / "public" / "artifacts")["metadata"]["adapter_type"] == "spark"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), "no /"),
        (("--adapter-type", "snowflake"), "`snowflake`"),
        (("--output", "target"), "target, which has the originals"),
    ],
)
def test_the_command_reports_what_it_cannot_do(project: Path, options: tuple[str, ...], found: str) -> None:
    done = run("penstock", project, "artifacts", *options)
    assert done.returncode == 1
    assert f"found: {found}" in done.stdout
    assert "needed: " in done.stdout and "do: " in done.stdout
    assert not (project / "target" / "spark").exists()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("catalog.json", b"{", "catalog.json as JSON"),
        ("sources.json", b"\xff", "sources.json as JSON"),
        ("run_results.json", b"[]", "run_results.json as a JSON object"),
        ("manifest.json", b"{}", "manifest.json with `metadata`"),
    ],
)
def test_an_unreadable_artifact_changes_nothing(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    write_artifacts(tmp_path, "catalog.json", "run_results.json", "sources.json")
    artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    before = content_of(tmp_path / "spark")
    (tmp_path / "catalog.json").write_text('{"metadata": {}, "nodes": {}}')
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PenstockError, match=found):
        artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    assert content_of(tmp_path / "spark") == before


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    write_artifacts(tmp_path, "catalog.json")
    artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    before = content_of(tmp_path / "spark")
    write_artifacts(tmp_path, "catalog.json", "sources.json")
    (tmp_path / "catalog.json").write_text('{"metadata": {}, "nodes": {}}')
    (tmp_path / "spark" / "sources.json").mkdir()
    with pytest.raises(PenstockError, match="to write in"):
        artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    assert content_of(tmp_path / "spark") == before


def test_a_copy_without_an_original_is_removed(tmp_path: Path) -> None:
    write_artifacts(tmp_path, "catalog.json")
    artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    (tmp_path / "spark" / "notes.txt").write_text("not a copy")
    (tmp_path / "catalog.json").unlink()
    artifacts.convert(tmp_path, tmp_path / "spark", "spark")
    assert set(content_of(tmp_path / "spark")) == {"manifest.json", "notes.txt"}


def test_the_setting_has_only_known_types(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("artifacts: {adapter_type: snowflake}\n")
    with pytest.raises(PenstockError, match=r"artifacts\.adapter_type"):
        load(tmp_path, "dev")
