"""`penstock init NAME`: each template gives a project that dbt parses without a warning, or nothing is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlfluff.core import FluffConfig, Linter

import penstock
from penstock.config.sections import ServerSettings
from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.lake import catalog
from penstock.lake.manifest import Manifest
from penstock.lake.verification import require_intact
from penstock.scaffold import new_project, template_files
from penstock.scaffold.template_files import TEMPLATES
from tests.support import forked_commands
from tests.support.projects import ROOT, TIMEOUT

# What the wheel brings into every project. An editable installation doesn't have it.
SHIPPED = (
    *("macros/joins", "macros/layout", "macros/maintenance"),
    *("tests/data/generic/columns", "tests/data/generic/plans_and_files"),
)


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a user without variables of dbt and penstock."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_"))}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "200", **more}


def run_penstock(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    return forked_commands.run("penstock", folder, environment(**more), list(arguments), TIMEOUT)


def create(parent: Path, name: str, template: str = "minimal") -> new_project.NewProject:
    """Create a project without showing progress."""
    return new_project.create(parent, name, template_files.named(template), lambda *step: None)


@pytest.fixture(scope="module", params=TEMPLATES)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project of each template."""
    parent = tmp_path_factory.mktemp("new")
    done = run_penstock(parent, "init", "shop", "--template", request.param)
    assert done.returncode == 0, done.stdout
    assert "cd shop\n  dbt build" in done.stdout
    return parent / "shop"


def test_dbt_parses_the_project_without_a_warning(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(project, folder)
    for path in SHIPPED:
        shutil.copytree(ROOT / path, folder / "macros" / path)
    arguments = ["--no-use-colors", "--warn-error", "parse"]
    done = forked_commands.run("dbt", folder, environment(), arguments, TIMEOUT)
    assert done.returncode == 0, done.stdout
    manifest: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"].values()
    models = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
    assert all(node["description"] for node in models.values())
    assert any(node["config"].get("incremental_strategy") == "interval" for node in models.values())
    assert any(node["language"] == "python" for node in models.values())
    assert any("hints(broadcast(" in node["raw_code"] for node in nodes)
    assert any(node["resource_type"] == "seed" for node in nodes)
    kinds = {node["test_metadata"]["name"] for node in nodes if node["resource_type"] == "test"}
    assert {"plan_broadcasts", "unique", "not_null"} <= kinds
    assert len(manifest["unit_tests"]) == 1
    assert manifest["metadata"]["adapter_type"] == "penstock"


def test_a_misspelled_hint_is_refused_by_name(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(project, folder)
    for path in SHIPPED:
        shutil.copytree(ROOT / path, folder / "macros" / path)
    (folder / "models" / "wrong.sql").write_text("select {{ hints(brodcast('a')) }} a.x from t as a")
    done = forked_commands.run("dbt", folder, environment(), ["--no-use-colors", "parse"], TIMEOUT)
    assert done.returncode != 0
    assert "found: the result of an unknown macro. do: correct its name" in " ".join(done.stdout.split())


def test_sqlfluff_accepts_the_models(project: Path) -> None:
    config = FluffConfig.from_path(str(project / "models"))
    result = Linter(config=config).lint_paths((str(project / "models"),))
    assert result.get_violations() == []


def test_ruff_accepts_the_python_models(project: Path) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", project / "models"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_landed_months_are_intact_at_the_projects_folder(project: Path) -> None:
    """They land in a temporary folder, and nothing may remember it."""
    lake = load(project, "dev").lake_dir
    live = Manifest(lake).live()
    assert live
    assert {dataset for dataset, _ in live} == set(catalog.load(project).datasets)
    require_intact(lake, list(live.values()), read=True)
    assert all(entry.source.startswith((f"{project}/raw/", "sample:")) for entry in live.values())
    for file in (project / "lake" / "manifest").rglob("*"):
        assert not file.is_file() or b".penstock-init-" not in file.read_bytes(), file


def test_the_land_command_of_a_clone_lands_the_same_files(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, ignore=shutil.ignore_patterns("lake"))
    workflow = yaml.safe_load((clone / ".github" / "workflows" / "ci.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step]
    [command] = [line for line in commands if line.startswith(("penstock land", "penstock sample"))]
    assert command in (clone / "README.md").read_text()
    done = run_penstock(clone, *command.split()[1:])
    assert done.returncode == 0, done.stdout
    first, second = (Manifest(load(folder, "dev").lake_dir).live() for folder in (project, clone))
    assert {key: entry.sha256 for key, entry in first.items()} == {key: entry.sha256 for key, entry in second.items()}


def test_each_placeholder_has_a_value_and_git_ignores_what_is_written(project: Path) -> None:
    files = [path for path in project.rglob("*") if path.is_file() and "lake" not in path.relative_to(project).parts]
    assert all("<<" not in path.read_text() for path in files)
    assert f"dbt-penstock[java]=={penstock.__version__}" in (project / "requirements.txt").read_text()
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout.split()
    shutil.rmtree(project / ".git")
    assert "lake.yml" in listed and not [name for name in listed if name.startswith("lake/")]


@pytest.mark.parametrize(
    "name", ["1shop", "my-shop", "my shop", "../shop", "a/b", "", "s" * 65, "größe", "dbt", "Lake"]
)
def test_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PenstockError, match="choose another name"):
        create(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "notes.txt").write_text("mine")
    done = run_penstock(tmp_path, "init", "shop")
    assert done.returncode == 1
    assert "needed: a new or empty folder shop" in done.stdout and "do:    choose another name" in done.stdout
    assert [path.name for path in tmp_path.rglob("*")] == ["shop", "notes.txt"]


def test_an_empty_folder_is_used_and_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert create(tmp_path, "shop").rows == 12
    (tmp_path / "other").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("other", "link"):
        with pytest.raises(PenstockError, match="a file or link of this name"):
            create(tmp_path, name)
    assert (tmp_path / "other").read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), PenstockError),
        (PenstockError("a", "b", "c"), PenstockError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_while_landing_leaves_nothing(
    tmp_path: Path, error: BaseException, raised: type[BaseException]
) -> None:
    def fail(folder: Path, final_folder: Path, progress: Any) -> int:
        assert (folder / "dbt_project.yml").exists() and not final_folder.exists()
        raise error

    template = template_files.Template("minimal", "penstock land", fail)
    with pytest.raises(raised):
        new_project.create(tmp_path, "shop", template, lambda *step: None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def land(folder: Path, final_folder: Path, progress: Any) -> int:
        final_folder.mkdir()
        (final_folder / "notes.txt").write_text("mine")
        return 0

    template = template_files.Template("minimal", "penstock land", land)
    with pytest.raises(PenstockError, match="that can be written"):
        new_project.create(tmp_path, "shop", template, lambda *step: None)
    assert [path.name for path in tmp_path.rglob("*")] == ["shop", "notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "needed: a name for the new project"),
        (("shop", "--template", "large"), "do:    choose one of minimal, trips"),
        (("shop", "--here"), "needed: --here alone"),
        (("--here", "--template", "trips"), "needed: --here alone"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run_penstock(tmp_path, "init", *arguments)
    assert done.returncode == 1 and message in done.stdout, done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_hides_the_projects_profile_is_named(tmp_path: Path) -> None:
    done = run_penstock(tmp_path, "init", "shop", DBT_PROFILES_DIR="/etc/dbt")
    assert done.returncode == 0 and "dbt reads /etc/dbt" in done.stdout


def test_the_trips_template_has_this_repositorys_zones_and_columns() -> None:
    files = TEMPLATES["trips"].files("shop")
    assert files["seeds/zones.csv"] == (ROOT / "seeds" / "zones.csv").read_text()
    own = yaml.safe_load((ROOT / "lake.yml").read_text())["datasets"]["green"]
    assert yaml.safe_load(files["lake.yml"])["datasets"] == {"green": own}
    versions = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["require-dbt-version"]
    for template in TEMPLATES.values():
        assert yaml.safe_load(template.files("shop")["dbt_project.yml"])["require-dbt-version"] == versions


def test_the_readme_names_each_shipped_macro_and_test_and_each_setting_of_the_server(project: Path) -> None:
    files = [path for folder in SHIPPED for path in (ROOT / folder).glob("*.sql")]
    names = {path.stem for path in files if not path.stem.startswith("penstock__")} | set(ServerSettings.model_fields)
    assert {"hints", "plan_broadcasts", "unique_combination", "compact", "spark_conf"} <= names
    readme = (project / "README.md").read_text()
    assert {name for name in names if not re.search(rf"\b{name}\b", readme)} == set()
