"""What the summary of a build counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyhive import hive

from penstock.config.settings import load
from penstock.report import build_summary
from penstock.report.build_summary import built_tables


class Session:
    """A session whose statement works, or not, and whose end always fails, as Hive's can."""

    def __init__(self, error: str = "") -> None:
        self.error = error

    def cursor(self) -> Session:
        return self

    def execute(self, sql: str) -> None:
        if self.error:
            raise hive.OperationalError(self.error)

    def fetchall(self) -> list[tuple[int]]:
        return [(7,)]

    def close(self) -> None:
        raise hive.OperationalError("NoClassDefFoundError: a class of Hive's")


def ask(monkeypatch: pytest.MonkeyPatch, folder: Path, session: Session) -> list[tuple[Any, ...]]:
    running = SimpleNamespace(connect=lambda: session)
    monkeypatch.setattr(build_summary.control, "is_remote", lambda settings: False)
    monkeypatch.setattr(build_summary.control, "current", lambda settings: running)
    (folder / "penstock.yml").write_text("version: 1\n")
    return build_summary.query(load(folder), "select 7")


def test_rows_that_came_are_kept_when_the_session_cannot_be_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ask(monkeypatch, tmp_path, Session()) == [(7,)]


def test_a_statement_that_failed_is_told_and_not_the_end_of_its_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(build_summary.PenstockError, match="no such table"):
        ask(monkeypatch, tmp_path, Session("no such table"))


def test_tests_that_were_not_repeated_are_counted_for_their_own_run(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("version: 1\n")
    (tmp_path / "target").mkdir()
    settings, results = load(tmp_path), {"metadata": {"invocation_id": "a"}}
    assert build_summary._reused(settings, results) == 0
    (tmp_path / "target" / "passed_tests.json").write_text('{"run": "a", "reused": 3, "keys": {}}')
    assert build_summary._reused(settings, results) == 3
    assert build_summary._reused(settings, {"metadata": {"invocation_id": "b"}}) == 0


def test_the_tables_are_the_lakes_and_those_the_run_built() -> None:
    """The ledger is a source that need not be there yet: counting it would end the summary with an error."""
    nodes = {
        f"{kind}.shop.{name}": {"schema": "warehouse", "alias": name, "config": {"materialized": kind}}
        for kind, name in (("model", "trips"), ("model", "broken"), ("snapshot", "zones_history"), ("seed", "zones"))
    }
    sources = [("lake", "green"), ("lake", "manifest"), ("warehouse", "batch_runs")]
    manifest = {
        "nodes": nodes,
        "sources": {f"source.shop.{s}.{name}": {"schema": s, "identifier": name} for s, name in sources},
    }
    results = [{"unique_id": node, "status": "error" if "broken" in node else "success"} for node in nodes]
    assert built_tables(manifest, {"results": results}) == [
        ("lake", "green"),
        ("warehouse", "trips"),
        ("warehouse", "zones_history"),
    ]
