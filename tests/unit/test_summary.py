"""The summary of a build, and its queries on the warehouse."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyhive import hive

from penstock.config.settings import load
from penstock.errors import PenstockError
from penstock.report import build_summary, warehouse_query
from penstock.report.build_summary import built_tables


class Session:
    """A session whose statement succeeds or fails, and that always fails while it closes, as Hive's can."""

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


def query(monkeypatch: pytest.MonkeyPatch, folder: Path, session: Session) -> list[tuple[Any, ...]]:
    running = SimpleNamespace(connect=lambda: session)
    monkeypatch.setattr("penstock.spark.server.control.is_remote", lambda settings: False)
    monkeypatch.setattr("penstock.spark.server.control.current", lambda settings: running)
    (folder / "penstock.yml").write_text("version: 1\n")
    return warehouse_query.run_query(load(folder), "select 7")


def test_rows_are_returned_if_the_session_fails_to_close(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert query(monkeypatch, tmp_path, Session()) == [(7,)]


def test_the_error_is_that_of_the_statement_and_not_of_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(PenstockError, match="no such table"):
        query(monkeypatch, tmp_path, Session("no such table"))


def test_tests_that_were_not_repeated_are_counted_only_for_their_run(tmp_path: Path) -> None:
    (tmp_path / "penstock.yml").write_text("version: 1\n")
    (tmp_path / "target").mkdir()
    settings, results = load(tmp_path), {"metadata": {"invocation_id": "a"}}
    assert build_summary._reused_tests(settings, results) == 0
    (tmp_path / "target" / "passed_tests.json").write_text('{"run": "a", "reused": 3, "keys": {}}')
    assert build_summary._reused_tests(settings, results) == 3
    assert build_summary._reused_tests(settings, {"metadata": {"invocation_id": "b"}}) == 0


def test_the_tables_are_those_of_the_lake_and_those_that_the_run_built() -> None:
    """The run ledger is a source that may not exist yet, so counting its rows could fail."""
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
