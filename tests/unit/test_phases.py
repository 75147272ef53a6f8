"""What quickstart shows: a line for each phase that ended, and what runs meanwhile."""

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

from penstock.workflows import progress as phases
from penstock.workflows.dbt_build import DbtBuild, Progress
from penstock.workflows.progress import Phases


def _console(terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=60, color_system=None, highlight=False), out


def test_each_phase_ends_as_one_line_with_its_seconds() -> None:
    console, out = _console(terminal=False)
    with Phases(console) as shown:
        with shown.phase("sample") as sample, shown.phase("server") as server:
            sample.say("making [trips]")
            server.say("up")
        with shown.phase("build") as build:
            build.say("116 nodes")
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


def test_without_a_terminal_a_plain_line_says_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "HEARTBEAT", 0.0)
    monkeypatch.setattr(phases, "TICK", 0.001)
    console, out = _console(terminal=False)
    with Phases(console) as shown, shown.phase("jars") as jars, shown.phase("sample") as sample:
        jars.say("fetching")
        sample.say("2 months")
        while "2 months" not in out.getvalue():
            time.sleep(0.001)
    assert re.search(r"^ {12} +\d+\.\d s  jars: fetching; sample: 2 months$", out.getvalue(), re.M)


def test_nothing_is_said_while_another_program_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "HEARTBEAT", 0.0)
    monkeypatch.setattr(phases, "TICK", 0.001)
    console, out = _console(terminal=True)
    before = threading.active_count()
    with Phases(console, quiet=True) as shown, shown.phase("build"):
        assert threading.active_count() == before
        assert out.getvalue() == ""
    assert out.getvalue().startswith("build ")


def test_a_terminal_shows_what_runs_cut_to_its_width() -> None:
    console, out = _console(terminal=True)
    with Phases(console) as shown, shown.phase("build") as build:
        build.say("57/116  " + "fct_trips, " * 20)
        while "57/116" not in out.getvalue():
            time.sleep(0.01)
    visible = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", out.getvalue())
    running = next(line for line in visible.splitlines() if "57/116" in line)
    assert len(running) <= 60 and running.startswith("build ")


def _event(name: str, **data: Any) -> SimpleNamespace:
    return SimpleNamespace(info=SimpleNamespace(name=name), data=SimpleNamespace(**data))


def _node(name: str, kind: str = "model") -> dict[str, Any]:
    return {"node_info": SimpleNamespace(node_name=name, unique_id=f"{kind}.penstock.{name}", resource_type=kind)}


def test_progress_counts_nodes_and_names_what_runs() -> None:
    progress = Progress()
    assert str(progress) == "starting"
    progress.hear(_event("NodeStart", **_node("penstock.on-run-start.0", "operation")))
    progress.hear(_event("NodeFinished", **_node("penstock.on-run-start.0", "operation")))
    assert (progress.done, progress.running) == (0, {})
    for name in ("a", "b", "c"):
        progress.hear(_event("LogStartLine", total=5, index=1))
        progress.hear(_event("NodeStart", **_node(name)))
    assert str(progress) == "0/5  a, b and 1 more"
    progress.hear(_event("NodeFinished", **_node("a")))
    progress.hear(_event("SQLQuery"))
    assert str(progress) == "1/5  b, c"
    progress.hear(_event("NodeFinished", **_node("b")))
    progress.hear(_event("NodeFinished", **_node("c")))
    assert str(progress) == "3/5"


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


def test_a_valid_project_is_read_in_silence_and_dbt_keeps_its_log(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown: list[tuple[str, str]] = []
    build = DbtBuild(project, False, lambda words, level: shown.append((words, level)))
    assert build.parse()
    assert (build.code, shown) == (0, [])
    assert capfd.readouterr().out == ""
    assert "parse` succeeded" in (project / "logs" / "dbt.log").read_text()


def test_dbts_errors_are_shown_and_its_exit_code_is_kept(project: Path) -> None:
    (project / "models" / "a.sql").write_text("select * from {{ ref('nothing') }}")
    shown: list[tuple[str, str]] = []
    build = DbtBuild(project, False, lambda words, level: shown.append((words, level)))
    assert not build.parse()
    assert build.code == 2
    assert any("nothing" in words and level == "error" for words, level in shown), shown


def test_verbose_leaves_the_lines_to_dbt(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown: list[tuple[str, str]] = []
    assert DbtBuild(project, True, lambda words, level: shown.append((words, level))).parse()
    assert "Running with dbt=" in capfd.readouterr().out
    assert shown == []
