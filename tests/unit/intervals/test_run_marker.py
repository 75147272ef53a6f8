"""The markers of running commits, and those that a killed process left behind."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from penstock.intervals import run_marker
from penstock.process import Process

STARTED = datetime(2024, 5, 1, 12, 30, tzinfo=timezone.utc)
MONTHS = (date(2024, 1, 1), date(2024, 2, 1))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a folder with a marker of this process."""
    run_marker.write(tmp_path, "w.facts", "b1", "r1", MONTHS, STARTED)
    return tmp_path


def test_a_marker_names_the_commit_and_its_intervals(written: Path) -> None:
    found = run_marker.read(written, "w.facts")
    assert found == run_marker.Marker("b1", "r1", MONTHS, STARTED, Process.from_pid(os.getpid()))
    assert found.alive
    assert [file.name for file in (written / run_marker.FOLDER).iterdir()] == ["w.facts.json"], "nothing else is left"


def test_a_later_commit_replaces_the_marker(written: Path) -> None:
    run_marker.write(written, "w.facts", "b2", "r2", MONTHS[:1], STARTED)
    found = run_marker.read(written, "w.facts")
    assert found is not None and (found.commit_id, found.intervals) == ("b2", MONTHS[:1])


def test_the_marker_of_an_ended_commit_is_removed(written: Path) -> None:
    run_marker.remove(written, "w.facts")
    assert run_marker.read(written, "w.facts") is None
    run_marker.remove(written, "w.facts")


def test_an_ended_process_is_recognized_by_its_start(written: Path) -> None:
    """Another process may have its id by now."""
    file = run_marker.path(written, "w.facts")
    data = json.loads(file.read_text())
    data["process"]["started"] -= 1000
    file.write_text(json.dumps(data))
    found = run_marker.read(written, "w.facts")
    assert found is not None and not found.alive


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"batch": "b"}', "null"])
def test_an_unreadable_marker_is_none(written: Path, text: str) -> None:
    run_marker.path(written, "w.facts").write_text(text)
    assert run_marker.read(written, "w.facts") is None
