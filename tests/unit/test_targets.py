"""Targets: which target is used, its section in penstock.yml, and its option on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.cli import main, server
from penstock.config import profiles
from penstock.config.sections import Ports
from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.process import Process
from penstock.spark.server.record import Record

PROFILE = """
shop:
  target: "{{ env_var('PENSTOCK_TARGET', 'laptop') }}"
  outputs: {laptop: {type: penstock}, cluster: {type: penstock}}
"""
SETTINGS = """
warehouse: tables
server: {memory: 2g, spark_conf: {a: 1, b: 2}}
targets:
  cluster:
    warehouse: s3a://bucket/tables
    server: {master: "spark://node:7077", spark_conf: {b: 3}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two targets, one of which has a section in penstock.yml."""
    monkeypatch.delenv(profiles.TARGET_VARIABLE, raising=False)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text(PROFILE)
    (tmp_path / "penstock.yml").write_text(SETTINGS)
    return tmp_path


def test_the_profile_has_the_default_target(project: Path) -> None:
    settings = load(project)
    assert (settings.target, settings.warehouse, settings.server.master) == ("laptop", "tables", "local[*]")
    (project / "profiles.yml").write_text(PROFILE.replace("'laptop'", "'cluster'"))
    assert load(project).server.master == "spark://node:7077"


def test_a_command_is_shown_with_the_target_that_the_user_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(profiles.TARGET_VARIABLE, raising=False)
    assert profiles.typed_command("status --show-secret") == "penstock status --show-secret"
    monkeypatch.setenv(profiles.TARGET_VARIABLE, "cluster")
    assert profiles.typed_command("status --show-secret") == "penstock status --show-secret --target cluster"


def test_the_status_of_a_target_names_its_server(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target without a section in penstock.yml uses the server of the file's top level. The status says so."""
    running = Record("ready", Process(1, 1.0), Ports(), "token", "settings", 1.0)
    for target, shown in (("cluster", "cluster\n"), ("laptop", "laptop (penstock.yml has no section `targets.laptop`")):
        server._show(load(project, target), running)
        assert re.search(rf"^target +{re.escape(shown)}", re.sub(" +\n", "\n", capsys.readouterr().out), re.MULTILINE)


def test_a_section_overrides_settings_key_by_key(project: Path) -> None:
    """Other keys stay as they are. The target has its own state folder and shares the jars."""
    settings = load(project, "cluster")
    assert settings.warehouse == "s3a://bucket/tables"
    assert (settings.server.memory, settings.server.spark_conf) == ("2g", {"a": "1", "b": "3"})
    assert settings.state_dir == project / ".penstock" / "cluster"
    assert settings.shared_dir == load(project).shared_dir == project / ".penstock"


def test_the_environment_names_a_target(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(profiles.TARGET_VARIABLE, "cluster")
    assert load(project).target == "cluster"
    assert profiles.dbt_options(project) == [
        *("--project-dir", str(project)),
        *("--target", "cluster"),
        *("--profiles-dir", str(project)),
    ]
    monkeypatch.setenv(profiles.TARGET_VARIABLE, "clutser")
    with pytest.raises(PenstockError, match=r"`clutser`; known: cluster, laptop"):
        load(project)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("cluster: {serverr: {}}", "unknown key `serverr`"),
        ("cluster: {shared: x}", "unknown key `shared`"),
        ("cluster: 4", "`targets.cluster` as keys"),
        ("tmp: {}", "`tmp`, which is the name of penstock's own folder there"),
        ("[cluster]", "`targets` without names"),
    ],
)
def test_a_wrong_section_is_refused_for_every_target(project: Path, section: str, message: str) -> None:
    """A typing mistake is found on the laptop, before the project runs on the cluster."""
    (project / "penstock.yml").write_text(f"targets: {{{section}}}" if section[0] != "[" else f"targets: {section}")
    with pytest.raises(PenstockError) as caught:
        load(project)
    assert message in str(caught.value)


def test_a_profile_that_cannot_be_rendered_has_no_default_target(tmp_path: Path) -> None:
    """dbt reports the error; the settings are those of the file's first level."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text("shop: {target: \"{{ env_var('NOT_THERE') }}\", outputs: {a: {}}}")
    assert profiles.read(tmp_path) == profiles.Profile("", ("a",))


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        ("up --target cluster", "--target cluster up"),
        ("up -t cluster", "-t cluster up"),
        ("land green 2024-01 --target=cluster", "--target=cluster land green 2024-01"),
        ("--target cluster up", "--target cluster up"),
        ("up", "up"),
    ],
)
def test_the_option_may_follow_the_command(typed: str, parsed: str) -> None:
    assert main.target_first(typed.split()) == parsed.split()


def test_the_target_folder_is_the_one_that_dbt_uses(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBT_TARGET_PATH", raising=False)
    assert profiles.target_folder(project) == project / "target"

    (project / "dbt_project.yml").write_text(
        """name: shop\nprofile: shop\ntarget-path: "{{ env_var('OUT', 'out') }}"\n"""
    )
    assert profiles.target_folder(project) == project / "out"

    monkeypatch.setenv("DBT_TARGET_PATH", "elsewhere")
    assert profiles.target_folder(project) == project / "elsewhere"


def test_a_target_has_a_type(project: Path) -> None:
    assert profiles.target_type(project, "laptop") == "penstock"
    assert profiles.target_type(project, "elsewhere") == ""


def test_status_says_why_no_dbt_command_starts_a_server(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")

    def status(folder: Path) -> str:
        monkeypatch.chdir(folder)
        monkeypatch.setattr("sys.argv", ["penstock", "status"])
        with pytest.raises(SystemExit) as caught:
            main.main()
        assert caught.value.code == 1
        return capsys.readouterr().out

    assert "any dbt command that runs SQL starts it" in status(project)

    (project / "profiles.yml").write_text(PROFILE.replace("{type: penstock}", "{type: spark}"))
    assert "target laptop in profiles.yml has type spark" in status(project)

    (project / "dbt_project.yml").unlink()
    assert f"there is no dbt project in {project}" in status(project)
