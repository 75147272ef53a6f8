"""`penstock init --here` adds a target to a dbt project, and says what else changes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.scaffold import dbt_spark_differences, existing_project
from tests.support import forked_commands
from tests.support.projects import TIMEOUT

PROJECT = "name: shop\nversion: 1.0.0\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n"
PROFILES = """\
# The team's cluster.
shop:
  target: prod
  outputs:
    dev:
      type: spark
      method: thrift
      host: dev.example
      schema: shop_dev
    prod:
      type: spark
      method: http
      host: prod.example  # behind the proxy
      token: "{{ env_var('NO_SUCH_TOKEN') }}"
      schema: shop_prod
      threads: 12
      server_side_parameters: {spark.driver.memory: 4g}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's empty folder, which isn't the one of the person who runs the tests."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("DBT_", "PENSTOCK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    """A dbt project with a model, without a profile."""
    root = tmp_path / "shop"
    (root / "models").mkdir(parents=True)
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "models" / "orders.sql").write_text("select 1 as id\n")
    return root


def run_here(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `penstock init --here` in a folder."""
    return forked_commands.run("penstock", folder, dict(os.environ), ["init", "--here"], TIMEOUT)


def targets(root: Path) -> dict[str, dict[str, object]]:
    """Return the targets of the profile."""
    found: dict[str, dict[str, object]] = yaml.safe_load((root / "profiles.yml").read_text())["shop"]["outputs"]
    return found


def test_a_project_without_a_profile_gets_one_that_dbt_reads(shop: Path) -> None:
    done = run_here(shop / "models")
    assert done.returncode == 0, done.stdout
    assert targets(shop) == {"penstock": {"type": "penstock", "schema": "shop", "threads": 4}}
    assert load(shop).target == "penstock"
    assert "dbt build --target penstock" in done.stdout
    parsed = forked_commands.run("dbt", shop, dict(os.environ), ["parse"], TIMEOUT)
    assert parsed.returncode == 0, parsed.stdout
    again = run_here(shop)
    assert again.returncode == 0 and "is unchanged" in again.stdout and "wrote" not in again.stdout


def test_a_dbt_spark_profile_keeps_its_targets_and_comments(shop: Path) -> None:
    (shop / "profiles.yml").write_text(PROFILES)
    (shop / "profiles.yml").chmod(0o600)
    (shop / "penstock.yml").write_text("version: 1\nserver: {memory: 2g}\n")
    done = run_here(shop)
    assert done.returncode == 0, done.stdout
    new = "    penstock:\n      type: penstock\n      schema: shop_prod\n      threads: 12\n"
    assert (shop / "profiles.yml").read_text() == PROFILES.replace("  outputs:\n", "  outputs:\n" + new)
    assert (shop / "profiles.yml").stat().st_mode & 0o777 == 0o600
    assert (shop / "penstock.yml").read_text() == "version: 1\nserver: {memory: 2g}\n"
    for part in (
        "spark.sql.ansi.enabled",
        "file_format: parquet",
        "these keys of `prod` have no effect on the new target: host, method, token",
        "`prod` has server_side_parameters",
        "add to .gitignore: .penstock/ /lake/ /warehouse/",
    ):
        assert part in done.stdout, part


def test_a_linked_file_stays_a_link(shop: Path) -> None:
    (shop / "profiles").mkdir()
    (shop / "profiles" / "profiles.yml").write_text(PROFILES)
    (shop / "profiles.yml").symlink_to("profiles/profiles.yml")
    existing_project.add(existing_project.find(shop))
    assert (shop / "profiles.yml").is_symlink()
    assert list(targets(shop)) == ["penstock", "dev", "prod"]
    assert sorted(path.name for path in (shop / "profiles").iterdir()) == ["profiles.yml"]


def test_a_taken_name_gives_another_one(shop: Path) -> None:
    (shop / "profiles.yml").write_text(PROFILES.replace("    dev:", "    penstock:"))
    name, _ = existing_project.add(existing_project.find(shop))
    assert name == "penstock_local"
    assert list(targets(shop)) == ["penstock_local", "penstock", "prod"]


def test_a_target_of_type_penstock_is_enough(shop: Path) -> None:
    text = PROFILES.replace("type: spark\n      method: thrift\n      host: dev.example", "type: penstock")
    (shop / "profiles.yml").write_text(text)
    name, written = existing_project.add(existing_project.find(shop))
    assert name == "dev" and written == [shop / "penstock.yml"]
    assert (shop / "profiles.yml").read_text() == text


def test_the_users_own_profiles_give_the_schema_and_are_named(shop: Path, home: Path) -> None:
    (home / ".dbt").mkdir()
    (home / ".dbt" / "profiles.yml").write_text(PROFILES)
    done = run_here(shop)
    assert done.returncode == 0, done.stdout
    assert targets(shop) == {"penstock": {"type": "penstock", "schema": "shop_prod", "threads": 12}}
    assert f"use them with `--profiles-dir {home / '.dbt'}`" in done.stdout
    assert (home / ".dbt" / "profiles.yml").read_text() == PROFILES


def test_the_folder_of_dbt_profiles_dir_is_used(shop: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "profiles.yml").write_text(PROFILES)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(home))
    _, written = existing_project.add(existing_project.find(shop))
    assert written == [shop / "penstock.yml", home / "profiles.yml"]
    assert list(targets(home)) == ["penstock", "dev", "prod"]


def test_a_file_that_cannot_be_edited_is_unchanged_and_the_lines_are_printed(shop: Path) -> None:
    text = "shop: {target: dev, outputs: {dev: {type: spark, method: thrift, host: h, schema: s}}}\n"
    (shop / "profiles.yml").write_text(text)
    done = run_here(shop)
    assert done.returncode == 1
    assert "    penstock:\n      type: penstock\n      schema: s\n      threads: 4\n" in done.stdout
    assert (shop / "profiles.yml").read_text() == text
    assert not (shop / "penstock.yml").exists()


def test_a_failed_write_leaves_no_file(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(existing_project, "_write", fail)
    with pytest.raises(PenstockError, match="No space left on device"):
        existing_project.add(existing_project.find(shop))
    assert sorted(path.name for path in shop.iterdir()) == ["dbt_project.yml", "models"]


@pytest.mark.parametrize("line", ["", "profile:\n", "profile: \"{{ env_var('P') }}\"\n", "profile: [a]\n"])
def test_a_project_without_the_name_of_a_profile_is_refused(shop: Path, line: str) -> None:
    (shop / "dbt_project.yml").write_text("name: shop\n" + line)
    with pytest.raises(PenstockError, match="set `profile: NAME`"):
        existing_project.find(shop)


def test_a_folder_without_a_project_is_refused(home: Path) -> None:
    done = run_here(home)
    assert done.returncode == 1 and "type `penstock init NAME` for a new one" in done.stdout
    assert list(home.iterdir()) == []


def test_a_target_that_dbt_cannot_read_is_an_error_after_the_differences(shop: Path) -> None:
    (shop / "profiles.yml").write_text(PROFILES.replace("shop_prod", "\"{{ env_var('NO_SUCH_SCHEMA') }}\""))
    done = run_here(shop)
    assert done.returncode == 1
    assert "spark.sql.ansi.enabled" in done.stdout and "NO_SUCH_SCHEMA" in done.stdout
    assert targets(shop)["penstock"]["schema"] == "{{ env_var('NO_SUCH_SCHEMA') }}"


@pytest.fixture
def packages(shop: Path) -> Path:
    """The project with two packages and files that depend on the adapter."""
    (shop / "dbt_project.yml").write_text(PROJECT + 'require-dbt-version: ">=1.0.0,<1.8.0"\n')
    (shop / "macros").mkdir()
    (shop / "macros" / "types.sql").write_text("{% if target.type == 'spark' %}x{% endif %}\n")
    for name, method in {"trained": "job_cluster", "fitted": "connect"}.items():
        model = f'def model(dbt, session):\n    dbt.config(submission_method="{method}")\n'
        (shop / "models" / f"{name}.py").write_text(model)
    for name, version in {"good": '[">=1.6.0", "<3.0.0"]', "old": '">=1.0.0,<1.5.0"'}.items():
        (shop / "dbt_packages" / name / "macros").mkdir(parents=True)
        (shop / "dbt_packages" / name / "dbt_project.yml").write_text(f"name: {name}\nrequire-dbt-version: {version}\n")
    (shop / "dbt_packages" / "old" / "macros" / "a.sql").write_text("{{ target['type'] }} {{ adapter.type() }}\n")
    return shop


def notes(root: Path, target_type: str) -> list[str]:
    """Return the differences that a project has beside those of every project."""
    content = yaml.safe_load((root / "dbt_project.yml").read_text())
    return dbt_spark_differences.notes(root, content, ("dev", {}), target_type)[3:]


def test_the_projects_own_differences_are_found(packages: Path) -> None:
    (packages / ".gitignore").write_text(".penstock\nwarehouse/\n")
    own, old, adapter_type, target_type, methods, ignored = notes(packages, "penstock")
    assert own.startswith("shop requires dbt >=1.0.0, <1.8.0")
    assert old.startswith("old requires dbt >=1.0.0, <1.5.0")
    assert "`adapter.type()` is `penstock`" in adapter_type and adapter_type.endswith("package old")
    assert "`target.type` is `penstock`" in target_type and target_type.endswith("macros/types.sql, package old")
    assert methods.endswith("models/trained.py (job_cluster)")
    assert ignored == "add to .gitignore: /lake/"


def test_a_target_type_that_reads_spark_is_no_difference(packages: Path) -> None:
    assert not [note for note in notes(packages, "spark") if "target.type" in note]


def test_a_project_that_fits_has_no_further_differences(shop: Path) -> None:
    (shop / ".gitignore").write_text(".penstock/\nlake/\nwarehouse/\n")
    shutil.rmtree(shop / "models")
    assert notes(shop, "penstock") == []
