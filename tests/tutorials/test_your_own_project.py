"""The tutorial "Your own project in ten minutes", from its first command to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tutorials import shell

PAGE = (shell.TUTORIALS / "your-own-project.md").read_text()
# What the fixture `bin_` does: it installs the wheel with the extra `report` into an environment.
INSTALLATION = {
    "python3 -m venv .venv && . .venv/bin/activate": "true",
    'pip install "dbt-penstock[java]"': "true",
    'pip install "dbt-penstock[java,report]"': "true",
}


@pytest.mark.core
def test_the_tutorial_can_be_followed(bin_: Path, tmp_path: Path) -> None:
    replaced = {**INSTALLATION, "penstock init shop": shell.init("penstock init shop", "shop")}
    reader = shell.reader(tmp_path, bin_, replaced)
    try:
        reader.follow(PAGE)
    finally:
        reader.follow("```console\n$ penstock down\n```\n")
