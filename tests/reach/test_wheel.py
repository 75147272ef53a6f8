"""The wheel in a new environment and project: its files, and a project that uses its macros without copying them."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.reach.wheel_environment import ROOT, SECONDS, run, share_jars

FILES = {
    "dbt_project.yml": {
        "name": "shop",
        "version": "1.0.0",
        "profile": "shop",
        "flags": {"send_anonymous_usage_stats": False},
    },
    "profiles.yml": {
        "shop": {"target": "dev", "outputs": {"dev": {"type": "penstock", "schema": "shop", "threads": 2}}}
    },
    "models/customers.sql": (
        "{{ config(materialized='table', **layout(clustered('id'), target_file_size(64))) }}\n"
        "select id, id % 3 as region from range(9)\n"
    ),
    "models/orders.sql": (
        "{{ config(materialized='table', post_hook='{{ compact() }}', meta={'hint': hints(broadcast('my c'))}) }}\n"
        "select {{ hints(broadcast('c'), rebalance(2, 'region')) }} c.region, o.id\n"
        "from range(9) as o\n"
        "inner join {{ ref('customers') }} as c on o.id = c.id\n"
    ),
    "models/totals.py": "def model(dbt, session):\n    return dbt.ref('orders').groupBy('region').count()\n",
    "models/models.yml": {
        "models": [
            {
                "name": "orders",
                "data_tests": [
                    {"plan_broadcasts": {"arguments": {"side": "c"}}},
                    {"unique_combination": {"arguments": {"columns": ["id"]}}},
                ],
            },
            {"name": "totals", "data_tests": ["plan_has_no_cartesian", "stats_present"]},
        ]
    },
}
# Names of shipped macros, and of internal ones without their prefix.
OWN = ("merge", "coalesce", "refuse", "shown", "layout_columns", "hint_names")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody's project: models, tests and hints, no macro, no lake, no penstock.yml."""
    return write(tmp_path_factory.mktemp("shop"), FILES)


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Write a project's files, those that aren't text as YAML."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return folder


def parse(bin_: Path, folder: Path) -> dict[str, Any]:
    """Return the manifest of a project that dbt parses in an environment."""
    run(folder, bin_ / "dbt", "parse")
    manifest: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    return manifest


@pytest.mark.core
def test_the_wheel_holds_what_the_adapter_needs_and_each_shipped_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source, target in {
        "src/penstock": "penstock",
        "src/dbt/adapters/penstock": "dbt/adapters/penstock",
        "src/dbt/include/penstock": "dbt/include/penstock",
        "macros/joins": "dbt/include/penstock/macros/joins",
        "macros/layout": "dbt/include/penstock/macros/layout",
        "macros/maintenance": "dbt/include/penstock/macros/maintenance",
        "tests/data/generic/columns": "dbt/include/penstock/macros/tests/columns",
        "tests/data/generic/plans_and_files": "dbt/include/penstock/macros/tests/plans_and_files",
    }.items():
        files = [path for path in (ROOT / source).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert files, source
        expected = {f"{target}/{path.relative_to(ROOT / source).as_posix()}" for path in files}
        assert expected <= names
        names -= expected
    names.remove("penstock/troubleshooting.md")  # `penstock help` prints its entries
    assert all(".dist-info/" in name for name in names), names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


@pytest.mark.core
def test_a_project_without_macros_parses(bin_: Path, shop: Path) -> None:
    manifest = parse(bin_, shop)
    nodes = {node["name"]: node for node in manifest["nodes"].values()}
    assert nodes["customers"]["config"]["clustered_by"] == ["id"]
    assert nodes["orders"]["config"]["meta"]["hint"] == "/*+ broadcast(`my c`) */"
    assert nodes["totals"]["language"] == "python"
    tests = [node for node in nodes.values() if node["resource_type"] == "test"]
    used = {macro for node in tests for macro in node["depends_on"]["macros"]}
    names = ("plan_broadcasts", "unique_combination", "plan_has_no_cartesian", "stats_present")
    assert used >= {f"macro.dbt_penstock.test_{name}" for name in names}
    assert manifest["macros"]["macro.dbt_penstock.merge"]["description"]
    assert not [name for name in manifest["macros"] if name.startswith("macro.shop.")]


def test_a_projects_macros_of_the_same_names_break_nothing(bin_: Path, tmp_path: Path) -> None:
    text = "{% macro NAME(a, b='') %}{{ return('NAME of the shop') }}{% endmacro %}"
    files = {f"macros/{name}.sql": text.replace("NAME", name) for name in OWN}
    files["models/mine.sql"] = "{{ config(meta={'own': merge('x', 'y')}) }}\nselect 1 as id\n"
    manifest = parse(bin_, write(tmp_path, {**FILES, **files}))
    nodes = {node["name"]: node for node in manifest["nodes"].values()}
    assert nodes["mine"]["config"]["meta"]["own"] == "merge of the shop"
    assert nodes["customers"]["config"]["clustered_by"] == ["id"]
    assert nodes["orders"]["config"]["meta"]["hint"] == "/*+ broadcast(`my c`) */"


def test_the_commands_start_where_there_is_no_lake(bin_: Path, shop: Path) -> None:
    assert "quickstart" in run(shop, bin_ / "penstock", "--help")
    for command, message in {"status": "down (any dbt command", "lake": "needed: the file lake.yml"}.items():
        done = subprocess.run([bin_ / "penstock", command], cwd=shop, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 1
        assert message in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_the_project_builds_and_its_plan_tests_pass(bin_: Path, shop: Path) -> None:
    """On a separate server, which the first statement starts and `penstock down` stops."""
    share_jars(shop)
    try:
        printed = run(shop, bin_ / "dbt", "--no-use-colors", "build")
        assert "PASS=7" in printed, printed
        query = "select sum(count) as orders, count(*) as regions from {{ ref('totals') }}"
        shown = run(shop, bin_ / "dbt", "--no-use-colors", "show", "--inline", query)
        assert "|      9 |       3 |" in shown, shown
        operation = run(shop, bin_ / "dbt", "--no-use-colors", "run-operation", "vacuum")
        assert "deleted, unused for 168 hours" in operation, operation
    finally:
        run(shop, bin_ / "penstock", "down")
