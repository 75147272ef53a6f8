"""`penstock init` from the wheel: a project of each template builds with the next command, and dbt documents it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.reach.wheel_environment import run, share_jars

# Rows of the template's tables.
ROWS = {
    "minimal": {"orders": 10, "customer_revenue": 6, "customer_segments": 6, "customers": 6},
    "trips": {"trips": 20_000, "zones": 265},
}
# The interval model of each template, and the command that replaces one month of it.
MONTHS = {
    "minimal": ("orders", "2024-02", ("land", "orders", "2024-02", "--from", "raw")),
    "trips": ("trips", "2023-02", ("sample", "--dataset", "green", "--months", "2023-02", "--rows", "100")),
}


@pytest.fixture(scope="module", params=ROWS)
def project(request: pytest.FixtureRequest, bin_: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project; its folder has the name of the template."""
    parent = tmp_path_factory.mktemp("init")
    run(parent, bin_ / "penstock", "init", request.param, "--template", request.param)
    share_jars(parent / request.param)
    return parent / str(request.param)


def dbt(bin_: Path, folder: Path, *arguments: str) -> str:
    """Return the output of a dbt command that must succeed."""
    return run(folder, bin_ / "dbt", "--no-use-colors", *arguments)


def results(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the results of the last dbt command, by the name of the node."""
    found = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {result["unique_id"].split(".")[2]: result for result in found}


def test_a_new_project_builds_and_is_documented(bin_: Path, project: Path) -> None:
    model, month, command = MONTHS[project.name]
    try:
        dbt(bin_, project, "build")
        built = results(project)
        assert {result["status"] for result in built.values()} <= {"success", "pass"}
        assert any(name.startswith("plan_broadcasts_") for name in built)
        for table, rows in ROWS[project.name].items():
            query = f"select count(*) as n, 'end' as e from {{{{ ref('{table}') }}}}"
            shown = dbt(bin_, project, "show", "--output", "json", "--inline", query)
            assert f'"n": {rows}' in shown, shown
        dbt(bin_, project, "docs", "generate")
        catalog = json.loads((project / "target" / "catalog.json").read_text())
        names = {node["metadata"]["name"] for node in catalog["nodes"].values()}
        assert names >= set(ROWS[project.name]) and not catalog["errors"]
        assert "unchanged" in dbt(bin_, project, "run", "--select", model)
        if project.name == "minimal":
            file = project / "raw" / f"orders_{month}.csv"
            file.write_text(file.read_text().replace("64.00", "65.00"))
        run(project, bin_ / "penstock", *command)
        assert f"built {month} in" in dbt(bin_, project, "run", "--select", model)
    finally:
        run(project, bin_ / "penstock", "down")


def test_here_adds_a_target_that_builds(bin_: Path, tmp_path: Path) -> None:
    """In a project that dbt's own `init` wrote, whose profile is one of dbt-spark."""
    run(tmp_path, bin_ / "dbt", "init", "shop", "--skip-profile-setup", "--profiles-dir", tmp_path)
    shop = tmp_path / "shop"
    profile = "shop:\n  target: dev\n  outputs:\n    dev: {type: spark, method: thrift, host: h, schema: shop}\n"
    (shop / "profiles.yml").write_text(profile)
    example = shop / "models" / "example" / "schema.yml"
    # The starter project has a test that fails on purpose.
    example.write_text("version: 2\nmodels:\n  - name: my_first_dbt_model\n")
    printed = run(shop, bin_ / "penstock", "init", "--here")
    assert "dbt build --target penstock" in printed
    share_jars(shop)
    try:
        built = run(shop, bin_ / "dbt", "--no-use-colors", "build", "--target", "penstock")
        assert "PASS=2" in built, built
    finally:
        run(shop, bin_ / "penstock", "down")


def test_dbt_init_offers_the_adapter(bin_: Path, tmp_path: Path) -> None:
    """The number of the adapter is the first one whose questions are those of the template."""
    for number in (1, 2):
        folder = tmp_path / str(number)
        (folder / "profiles").mkdir(parents=True)
        done = subprocess.run(
            [bin_ / "dbt", "init", "shop", "--skip-debug", "--profiles-dir", folder / "profiles"],
            cwd=folder,
            input=f"{number}\n1\nshop\n\n",
            capture_output=True,
            text=True,
            timeout=300,
        )
        if "managed (penstock starts" in done.stdout:
            written = (folder / "profiles" / "profiles.yml").read_text()
            assert done.returncode == 0 and "type: penstock" in written and "schema: shop" in written
            return
    pytest.fail("dbt init doesn't list penstock")
