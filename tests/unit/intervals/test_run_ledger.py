"""The run ledger in a run, with a server that answers as Spark and Delta do."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.grain import GRAINS
from penstock.intervals.interval_model import IntervalModel
from penstock.intervals.ledger_table import BUILT, LedgerRow
from penstock.intervals.planned_commits import PlannedCommit
from penstock.intervals.run_ledger import RunLedger

EVENTS = [LedgerRow("b", "r", "facts", "w.facts", date(2024, 1, 1), "month", BUILT)]


def statements(*errors: str) -> tuple[list[str], Any]:
    """Return the sent statements and a function that runs them: each fails with the next text that is not empty."""
    sent: list[str] = []
    left = list(errors)

    def run(sql: str) -> list[Any]:
        sent.append(" ".join(sql.split()[:3]))
        if left and (error := left.pop(0)):
            raise DbtRuntimeError(error)
        return []

    return sent, run


@pytest.mark.parametrize(
    "other",
    [
        "[DELTA_PROTOCOL_CHANGED] This happens when multiple writers are writing to an empty directory",
        "[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] Cannot create table",
        "[TABLE_OR_VIEW_ALREADY_EXISTS] w.batch_runs",
    ],
)
def test_a_ledger_that_another_model_creates_at_the_same_time(other: str) -> None:
    """In a first run two models may both create the table; the second one continues."""
    sent, run = statements("[TABLE_OR_VIEW_NOT_FOUND] w.batch_runs", "", other)
    RunLedger("w.batch_runs").append(run, EVENTS)
    made = "create table if"
    assert sent == ["insert into w.batch_runs", "create schema if", made, made, "insert into w.batch_runs"]


def test_another_error_is_raised() -> None:
    """No table is created."""
    sent, run = statements("[PERMISSION] no")
    with pytest.raises(DbtRuntimeError, match="PERMISSION"):
        RunLedger("w.batch_runs").append(run, EVENTS)
    assert sent == ["insert into w.batch_runs"]


JANUARY = date(2024, 1, 1)
FACTS = IntervalModel("facts", "w.facts", "month", GRAINS["month"], None, lambda day, of: None)


def server(operation: str, version: int, batch: str = "b", table_id: str = "t") -> tuple[list[str], Any]:
    """Return the sent statements and a server: its ledger has January in version 3; this is the newest commit."""
    sent: list[str] = []
    marked = CommitMetadata(batch, "r", "c", datetime(2024, 2, 1, tzinfo=timezone.utc), {JANUARY: {}}).dumps()
    held = json.dumps({"outcome": BUILT, "batch_id": "b", "code": "c", "rows_out": 5, "grain": "month"})

    def commit(number: int, name: str) -> dict[str, Any]:
        return {
            "version": number,
            "operation": name,
            "userMetadata": marked if batch else None,
            "operationParameters": "{}",
            "operationMetrics": "{}",
        }

    def run(sql: str) -> list[Any]:
        first = " ".join(sql.split()[:2])
        sent.append(first)
        if first == "with versions":
            return [("w.facts", "t", JANUARY, 3, held, 0)]
        if first == "describe detail":
            return [{"id": table_id, "properties": '{"penstock.intervals": "month"}'}]
        return [commit(version, operation)] if first == "describe history" else []

    return sent, run


@pytest.mark.parametrize(("operation", "version"), [("WRITE", 3), ("OPTIMIZE", 4)])
def test_an_unchanged_table_needs_one_statement(operation: str, version: int) -> None:
    sent, run = server(operation, version)
    table = RunLedger("w.batch_runs").table(run, FACTS)
    assert sent == ["with versions", "describe history"]
    assert (table.id, table.grain, table.state.version, list(table.state.built)) == ("t", "month", 3, [JANUARY])


@pytest.mark.parametrize(
    ("operation", "version", "batch"),
    [("WRITE", 3, "other"), ("SET TBLPROPERTIES", 4, "b"), ("RESTORE", 3, "b"), ("OPTIMIZE", 3, "b"), ("WRITE", 3, "")],
)
def test_a_table_with_any_other_newest_commit_is_looked_up(operation: str, version: int, batch: str) -> None:
    """It may be another table, so its id is read from Delta."""
    sent, run = server(operation, version, batch, table_id="another")
    table = RunLedger("w.batch_runs").table(run, FACTS)
    assert "describe detail" in sent
    assert table.id == "another"


def test_a_refreshed_table_is_looked_up_again() -> None:
    """The history is read after the ledger, so that a commit between both is in one of them."""
    sent, run = server("WRITE", 3)
    ledger = RunLedger("w.batch_runs")
    ledger.table(run, FACTS)
    del sent[:]
    ledger.table(run, FACTS, refresh=True)
    assert sent == ["describe detail", "with versions", "describe history"]


def commit_file(log: Path, batch: str, version: int = 3) -> None:
    marked = CommitMetadata(batch, "r", "c", datetime(2024, 2, 1, tzinfo=timezone.utc), {JANUARY: {}})
    info = {"operation": "WRITE", "userMetadata": marked.dumps(), "operationMetrics": {"numOutputRows": "5"}}
    (log / f"{version:020}.json").write_text(json.dumps({"commitInfo": info}))


def test_a_table_with_a_local_log_needs_no_statement(tmp_path: Path) -> None:
    sent, run = server("WRITE", 3)
    commit_file(tmp_path, "b")
    table = RunLedger("w.batch_runs", lambda relation: tmp_path).table(run, FACTS)
    assert sent == ["with versions"]
    assert (table.id, table.state.version) == ("t", 3)


def test_a_commit_is_found_in_the_log_or_by_the_server(tmp_path: Path) -> None:
    """The log of a table that another run dropped and created again may be in another folder."""
    sent, run = server("WRITE", 4, "mine")
    commit_file(tmp_path, "b")
    ledger = RunLedger("w.batch_runs", lambda relation: tmp_path)
    ledger.table(run, FACTS)
    mine = CommitMetadata("mine", "r", "c", datetime(2024, 2, 1, tzinfo=timezone.utc), {JANUARY: {}})
    del sent[:]
    assert ledger.record_written(run, FACTS, mine, 1.0, {}, replaced=False)
    assert (sent[0], sent[-1]) == ("describe history", "insert into")
    commit_file(tmp_path, "mine", 4)
    ledger = RunLedger("w.batch_runs", lambda relation: tmp_path)
    ledger.table(run, FACTS)
    del sent[:]
    assert ledger.record_written(run, FACTS, mine, 1.0, {}, replaced=False)
    assert sent == ["insert into"]


def test_a_read_only_ledger_sends_no_write() -> None:
    """A commit that the ledger lacks still counts as built."""
    sent, run = server("WRITE", 4, batch="later")
    ledger = RunLedger("w.batch_runs", read_only=True)
    table = ledger.table(run, FACTS)
    assert table.state.built[JANUARY].commit_id == "later"
    ledger.append(run, EVENTS)
    assert not [sql for sql in sent if sql.startswith(("insert", "create", "select"))]


def test_a_planned_commit_counts_as_built() -> None:
    """Models that read the table are planned as after the commit."""
    february = date(2024, 2, 1)
    _, run = server("WRITE", 3)
    ledger = RunLedger("w.batch_runs", read_only=True)
    ledger.table(run, FACTS)

    def planned(full_refresh: bool) -> PlannedCommit:
        metadata = CommitMetadata(
            "planned", "r", "c", datetime(2024, 3, 1, tzinfo=timezone.utc), {february: {"a": "1"}}
        )
        return PlannedCommit(FACTS, (february,), full_refresh, "", metadata, {february: "new"}, 0.0)

    ledger.assume_built([planned(False)])
    built = ledger.table(run, FACTS).state.built
    assert {day: item.commit_id for day, item in built.items()} == {JANUARY: "b", february: "planned"}
    ledger.assume_built([planned(True)])
    assert list(ledger.table(run, FACTS).state.built) == [february]
