"""The adapter in a project that isn't this one: the wheel, a ten-line profile, a SQL and a Python model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.projects import ROOT, TIMEOUT

PROFILE = """\
shop:
  target: dev
  outputs:
    dev:
      type: penstock
      schema: shop
      threads: 2
"""
PROJECT = "name: shop\nversion: 1.0.0\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n"
MODELS = {
    "orders.sql": "{{ config(materialized='table') }} select id, id % 3 as customer from range(9)",
    "customers.py": """
def model(dbt, session):
    return dbt.ref("orders").groupBy("customer").count()
""",
}


def run(folder: Path, *command: str | Path) -> str:
    """Run a command as someone who has only the wheel; its output. Fails when it does."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "PENSTOCK_", "PYTHONPATH"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment with penstock's wheel; its dependencies are those already installed."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("src", "macros", "tests/data/generic", "docs/how-to"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    wheels = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", tmp_path)
    run(tmp_path, sys.executable, "-m", "pip", "wheel", "--quiet", *wheels, source)
    wheel = next(tmp_path.glob("dbt_penstock-*.whl"))
    run(tmp_path, sys.executable, "-m", "venv", "--without-pip", tmp_path / "env")
    made = tmp_path / "env" / "bin" / "python"
    site = Path(run(tmp_path, made, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    alone = ("--quiet", "--no-deps", "--no-index", "--ignore-installed")
    run(tmp_path, sys.executable, "-m", "pip", "--python", made, "install", *alone, wheel)
    return made


def test_a_fresh_project_runs_sql_and_python(python: Path, tmp_path: Path) -> None:
    """No penstock.yml, no lake: the profile alone starts a server, and both models have their rows."""
    shop = tmp_path / "shop"
    (shop / "models").mkdir(parents=True)
    (shop / "dbt_project.yml").write_text(PROJECT)
    (shop / "profiles.yml").write_text(PROFILE)
    for name, text in MODELS.items():
        (shop / "models" / name).write_text(text)
    (shop / ".penstock").mkdir()
    for shared in ("jars", "cds"):
        (shop / ".penstock" / shared).symlink_to(ROOT / ".penstock" / shared)
    place = run(shop, python, "-c", "import dbt.adapters.penstock as adapter; print(adapter.__file__)")
    assert str(tmp_path / "env") in place
    try:
        built = run(shop, python, "-m", "dbt.cli.main", "--no-use-colors", "run")
        assert "PASS=2" in built, built
        query = "select sum(count) as orders, count(*) as customers from {{ ref('customers') }}"
        shown = run(shop, python, "-m", "dbt.cli.main", "--no-use-colors", "show", "--inline", query)
        assert "|      9 |         3 |" in shown, shown
    finally:
        run(shop, python.parent / "penstock", "down")
