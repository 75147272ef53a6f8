"""The options of `penstock diff`, and the page that describes them."""

from __future__ import annotations

from pathlib import Path

import typer
import yaml

from penstock.cli import diff as command

HOW_TO = Path(__file__).resolve().parents[3] / "docs" / "how-to"


def test_the_page_names_every_option() -> None:
    app = typer.Typer()
    command.register(app)
    options = {name for item in typer.main.get_command(app).params for name in item.opts if name.startswith("--")}
    assert "--against" in options
    page = (HOW_TO / "diff.md").read_text()
    missing = {name for name in options if f"`{name}" not in page} - {"--install-completion", "--show-completion"}
    assert not missing


def test_the_jobs_of_the_page_are_yaml() -> None:
    """The workflow runs on pull requests, builds with --defer, and posts the comparison."""
    page = (HOW_TO / "diff-in-pull-requests.md").read_text()
    blocks = [block.split("```")[0] for block in page.split("```yaml\n")[1:]]
    profile, workflow = (yaml.safe_load(block) for block in blocks)
    assert set(profile["shop"]["outputs"]) == {"dev", "prod", "pr"}
    steps = [step.get("run", "") for step in workflow["jobs"]["diff"]["steps"]]
    assert any("dbt build" in step and "--defer --state" in step for step in steps)
    assert any("penstock diff" in step and "--markdown" in step for step in steps)


def test_values_of_an_option_may_be_words() -> None:
    assert command._words(["a b", "tag:c"]) == ("a", "b", "tag:c")
    assert command._words(None) == ()
