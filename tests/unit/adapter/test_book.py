"""The ledger as a run writes it, with a server that answers what Spark and Delta did."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.intervals.book import Book
from penstock.batches.ledger import BUILT, Event

EVENTS = [Event("b", "r", "facts", "w.facts", date(2024, 1, 1), "month", BUILT)]


def statements(*errors: str) -> tuple[list[str], Any]:
    """Answers to statements one after another: an error's text, or nothing for well; the rest go well."""
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
def test_a_ledger_that_another_model_makes_at_the_same_moment_is_written_to(other: str) -> None:
    """Two models of a first run each find none and make it; the one that loses goes on."""
    sent, run = statements("[TABLE_OR_VIEW_NOT_FOUND] w.batch_runs", "", other)
    Book("w.batch_runs").append(run, EVENTS)
    made = "create table if"
    assert sent == ["insert into w.batch_runs", "create schema if", made, made, "insert into w.batch_runs"]


def test_another_error_is_told() -> None:
    """And no table is made."""
    sent, run = statements("[PERMISSION] no")
    with pytest.raises(DbtRuntimeError, match="PERMISSION"):
        Book("w.batch_runs").append(run, EVENTS)
    assert sent == ["insert into w.batch_runs"]
