"""The progress that quickstart shows: a line for each phase that ended, and the running phases."""

from __future__ import annotations

import io
import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from penstock.workflows import progress
from penstock.workflows.dbt_runner import BuildProgress, DbtBuild
from penstock.workflows.progress import Phases


def _console(terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=60, color_system=None, highlight=False), out


def test_each_phase_ends_as_one_line_with_its_seconds() -> None:
    console, out = _console(terminal=False)
    with Phases(console) as shown:
        with shown.phase("sample") as sample, shown.phase("server") as server:
            sample.update("making [trips]")
            server.update("up")
        with shown.phase("build") as build:
            build.update("116 nodes")
    lines = [re.sub(r"\d+\.\d s", "N s", line) for line in out.getvalue().splitlines()]
    assert lines == [
        "server          N s  up",
        "sample          N s  making [trips]",
        "build           N s  116 nodes",
    ]


def test_a_phase_that_fails_leaves_no_line() -> None:
    console, out = _console(terminal=False)
    with pytest.raises(ValueError), Phases(console) as shown, shown.phase("server"):
        raise ValueError
    assert out.getvalue() == ""


def test_without_a_terminal_a_plain_line_names_the_running_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.001)
    console, out = _console(terminal=False)
    with Phases(console) as shown, shown.phase("jars") as jars, shown.phase("sample") as sample:
        jars.update("fetching")
        sample.update("2 months")
        while "2 months" not in out.getvalue():
            time.sleep(0.001)
    assert re.search(r"^ {12} +\d+\.\d s  jars: fetching; sample: 2 months$", out.getvalue(), re.M)


def test_quiet_phases_show_nothing_while_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.001)
    console, out = _console(terminal=True)
    before = threading.active_count()
    with Phases(console, quiet=True) as shown, shown.phase("build"):
        assert threading.active_count() == before
        assert out.getvalue() == ""
    assert out.getvalue().startswith("build ")


def test_a_terminal_shows_running_phases_truncated_to_its_width() -> None:
    console, out = _console(terminal=True)
    with Phases(console) as shown, shown.phase("build") as build:
        build.update("57/116  " + "fct_trips, " * 20)
        while "57/116" not in out.getvalue():
            time.sleep(0.01)
    visible = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", out.getvalue())
    running = next(line for line in visible.splitlines() if "57/116" in line)
    assert len(running) <= 60 and running.startswith("build ")


def _event(name: str, **data: Any) -> SimpleNamespace:
    return SimpleNamespace(info=SimpleNamespace(name=name), data=SimpleNamespace(**data))


def _node(name: str, kind: str = "model") -> dict[str, Any]:
    return {"node_info": SimpleNamespace(node_name=name, unique_id=f"{kind}.penstock.{name}", resource_type=kind)}


def test_build_progress_counts_nodes_and_names_running_nodes() -> None:
    build = BuildProgress()
    assert str(build) == "starting"
    build.update(_event("NodeStart", **_node("penstock.on-run-start.0", "operation")))
    build.update(_event("NodeFinished", **_node("penstock.on-run-start.0", "operation")))
    assert (build.done, build.running) == (0, {})
    for name in ("a", "b", "c"):
        build.update(_event("LogStartLine", total=5, index=1))
        build.update(_event("NodeStart", **_node(name)))
    assert str(build) == "0/5  a, b and 1 more"
    build.update(_event("NodeFinished", **_node("a")))
    build.update(_event("SQLQuery"))
    assert str(build) == "1/5  b, c"
    build.update(_event("NodeFinished", **_node("b")))
    build.update(_event("NodeFinished", **_node("c")))
    assert str(build) == "3/5"


PROJECT = {
    "dbt_project.yml": "name: small\nversion: 1.0.0\nprofile: small\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "small: {target: dev, outputs: {dev: {type: penstock, schema: small}}}\n",
    "models/a.sql": "select 1 as id",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project of one model, as working folder."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    return tmp_path


def test_a_valid_project_is_parsed_without_output_and_dbt_writes_its_log(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown: list[tuple[str, str]] = []
    build = DbtBuild(project, False, lambda message, level: shown.append((message, level)))
    assert build.parse()
    assert (build.exit_code, shown) == (0, [])
    assert capfd.readouterr().out == ""
    assert "parse` succeeded" in (project / "logs" / "dbt.log").read_text()


def test_dbts_errors_are_shown_and_its_exit_code_is_kept(project: Path) -> None:
    (project / "models" / "a.sql").write_text("select * from {{ ref('nothing') }}")
    shown: list[tuple[str, str]] = []
    build = DbtBuild(project, False, lambda message, level: shown.append((message, level)))
    assert not build.parse()
    assert build.exit_code == 2
    assert any("nothing" in message and level == "error" for message, level in shown), shown


def test_verbose_leaves_the_lines_to_dbt(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown: list[tuple[str, str]] = []
    assert DbtBuild(project, True, lambda message, level: shown.append((message, level))).parse()
    assert "Running with dbt=" in capfd.readouterr().out
    assert shown == []
