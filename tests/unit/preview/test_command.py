"""The options of `penstock preview`, and its errors before dbt runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from penstock.cli import preview as command
from penstock.errors import PenstockError
from penstock.preview.selection import Selection
from tests.unit.preview.previews import preview


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run the command with a prepared preview; `run.selections` has the selections that it asked for."""
    selections: list[Selection] = []

    def build(settings: Any, selection: Selection, progress: Any) -> Any:
        selections.append(selection)
        return preview()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "build_preview", build)
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app)

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["preview", *arguments])

    invoke.selections = selections  # type: ignore[attr-defined]
    return invoke


def test_an_option_may_have_several_values(run: Any, tmp_path: Path) -> None:
    run("--select", "a", "b+", "-s", "c d", "--exclude", "e", "--state", "prod", "--json")
    selection = run.selections[0]
    assert (selection.select, selection.exclude, selection.state) == (("a", "b+", "c d"), ("e",), Path("prod"))
    assert selection.options == [
        *("--select", "a", "--select", "b+", "--select", "c", "d", "--exclude", "e", "--state", str(tmp_path / "prod"))
    ]


def test_the_exit_code_is_0_unless_a_kind_occurs(run: Any, tmp_path: Path) -> None:
    done = run("--html", "p.html")
    assert done.exit_code == 0 and "facts" in done.output
    assert (tmp_path / "p.html").read_text().startswith("<!doctype html>")
    assert run("--fail-on", "hint", "exchange").exit_code == 0
    failed = run("--fail-on", "hint", "join", "--fail-on", "stale")
    assert failed.exit_code == 1
    assert "--fail-on found join: facts; stale: facts" in failed.stderr


def test_an_unknown_kind_names_the_kinds(run: Any) -> None:
    error = run("--fail-on", "joins").exception
    assert isinstance(error, PenstockError) and run.selections == []
    assert (error.found, error.do) == (
        "`joins`",
        "name one of new, changed, rebuild, join, exchange, pruning, hint, stale",
    )


def test_a_page_that_can_not_be_written(run: Any) -> None:
    error = run("--html", "missing/p.html").exception
    assert isinstance(error, PenstockError) and error.needed == "a file to write, missing/p.html"


def test_a_state_folder_needs_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(PenstockError, match=r"found: none in .*do: name the target folder of an earlier run"):
        Selection(state=tmp_path).check_state()
    with pytest.raises(PenstockError, match="found: no folder"):
        Selection(state=tmp_path / "missing").check_state()
    (tmp_path / "manifest.json").write_text("{}")
    Selection(state=tmp_path).check_state()
