"""The quickstart reports a failed sample with its output and exit code."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from penstock.cli import quickstart as cli
from penstock.config.settings import load
from penstock.workflows import quickstart
from penstock.workflows.progress import Phases


@pytest.fixture
def failing_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose `penstock sample` prints a line and exits with 3."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no rows\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    return tmp_path


def test_a_failed_sample_raises_its_exit_code_and_output(failing_sample: Path) -> None:
    out = io.StringIO()
    with Phases(Console(file=out)) as phases:
        sample = quickstart.SampleCreation(load(failing_sample), phases)
        sample.start()
        with pytest.raises(quickstart.SampleError) as caught:
            sample.wait()
        sample.stop()
    assert (caught.value.exit_code, caught.value.output) == (3, "no rows\n")
    assert out.getvalue() == ""


def test_the_command_exits_as_the_sample_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: object) -> None:
        raise quickstart.SampleError(3, "no rows\n")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("penstock.workflows.quickstart.run", run)
    app = typer.Typer()
    app.command()(cli.quickstart)
    done = CliRunner().invoke(app, [])
    assert (done.exit_code, done.output) == (3, "no rows\n")


def test_a_server_that_does_not_start_raises_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def up(*arguments: object) -> None:
        raise OSError("no port")

    monkeypatch.setattr("penstock.spark.server.control.current", lambda settings: None)
    monkeypatch.setattr("penstock.spark.server.control.up", up)
    with Phases(Console(file=io.StringIO())) as phases:
        server = quickstart.ServerStart(load(tmp_path), phases)
        server.start()
        with pytest.raises(OSError, match="no port"):
            server.wait()
    assert not server.is_alive()
