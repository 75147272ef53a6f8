"""Intervals built, stale and failed, and bad rows, from the rows of the run ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH
from penstock.report.run_page import ledger_facts
from penstock.report.run_page.interval_states import IntervalState
from penstock.report.run_page.ledger_facts import RuleShare
from penstock.report.run_page.node_history import PastRun

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


class Months:
    """An interval source whose tables have the months that a test gives."""

    schema, grain, registers = "lake", GRAINS[MONTH], False

    def __init__(self, versions: Mapping[date, str] | None) -> None:
        self._versions = versions

    def has_intervals(self, table: str) -> bool:
        return True

    def register(self, run_sql: Any) -> str:
        return ""

    def unregistered(self) -> Months:
        return self

    def versions(self, run_sql: Any, table: str) -> Mapping[date, str]:
        if self._versions is None:
            raise PenstockError("registered tables", "none", "run dbt")
        return self._versions

    def rows(self, run_sql: Any, table: str, interval: date) -> int:
        return 0

    def verify(self, run_sql: Any, table: str, intervals: Iterable[date]) -> None:
        return None


def _held(commit: str, inputs: Mapping[str, str], rows: int = 10) -> str:
    values = {"outcome": "built", "batch_id": commit, "code": "c", "inputs": inputs, "rows_out": rows, "grain": MONTH}
    return json.dumps(values)


STATES = [
    ("w.trips", "new", JANUARY, 1, _held("t1", {"lake.green": "a"}), 0),
    ("w.trips", "new", FEBRUARY, 1, _held("t2", {"lake.green": "b"}), 0),
    ("w.trips", "old", MARCH, 9, _held("t9", {"lake.green": "z"}), 0),
    ("w.daily", "d", JANUARY, 1, _held("d1", {"w.trips": "t1"}), 0),
    ("w.daily", "d", FEBRUARY, 2, _held("d2", {"w.trips": "before"}), 0),
    ("w.daily", "d", MARCH, 2, None, 2),
]
PAST = [("w.trips", "run1", "2026-04-01 10:00:00", 12.5, False), ("w.trips", "run2", "2026-04-02 10:00:00", 3.0, True)]


Answers = Mapping[str, Sequence[Sequence[Any]]]


def read(source: Months, rules: str = "", answers: Answers | None = None) -> ledger_facts.LedgerFacts:
    """Return the facts of a server that answers statements by a part of their text."""
    given: dict[str, Sequence[Sequence[Any]]] = {
        "show tables in w like 'batch_runs'": [("w", "batch_runs", False)],
        "max_by(table_id": [("w.trips", "new"), ("w.daily", "d")],
        "with versions as": STATES,
        "select distinct relation": PAST,
        "rows_quarantined": [("trips", JANUARY, 5, 0.05)],
        **(answers or {}),
    }

    def run_query(sql: str) -> Sequence[Sequence[Any]]:
        return next(rows for part, rows in given.items() if part in sql)

    return ledger_facts.read(run_query, "w", {"lake": source}, rules)


def test_states_of_intervals() -> None:
    facts = read(Months({JANUARY: "a", FEBRUARY: "changed", MARCH: "new"}))
    assert facts.intervals == (
        IntervalState("w.daily", "2026-01", "built", "", 10),
        IntervalState("w.daily", "2026-02", "stale", "w.trips changed", 10),
        IntervalState("w.daily", "2026-03", "failed"),
        IntervalState("w.trips", "2026-01", "built", "", 10),
        IntervalState("w.trips", "2026-02", "stale", "lake.green changed", 10),
        IntervalState("w.trips", "2026-03", "stale", "new"),
    )
    assert facts.notes == ()


def test_a_source_that_cannot_be_read_makes_nothing_stale() -> None:
    facts = read(Months(None))
    assert {item.state for item in facts.intervals if item.relation == "w.trips"} == {"built"}
    assert facts.notes == ("lake.green: none",)


def test_past_runs_of_a_relation() -> None:
    assert read(Months({})).past_runs == {
        "w.trips": [
            PastRun("run1", "2026-04-01T10:00:00+00:00", 12.5, "success"),
            PastRun("run2", "2026-04-02T10:00:00+00:00", 3.0, "error"),
        ]
    }


def test_quarantined_rows_by_model() -> None:
    assert read(Months({})).quarantined == (RuleShare("trips", "2026-01", 5, 0.05),)


def test_bad_rows_by_rule_replace_those_by_model() -> None:
    answers: Answers = {
        "show tables in w like 'quality'": [("w", "quality", False)],
        "show columns in w.quality": [("rule",), ("month",), ("rows",), ("checked_rows",), ("severity",)],
        "where severity = 'error'": [("negative", "2026-01-01", 3, 0.25)],
    }
    facts = read(Months({}), "w.quality", answers)
    assert facts.quarantined == (RuleShare("negative", "2026-01", 3, 0.25),)


def test_a_project_without_a_ledger() -> None:
    facts = read(Months({}), answers={"show tables in w like 'batch_runs'": []})
    assert facts.intervals == () and facts.past_runs == {}
