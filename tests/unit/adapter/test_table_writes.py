"""Turns of writers, retries of commits, and type changes of columns."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import write_turns
from dbt.adapters.penstock.column_types import change
from penstock.delta import conflicts


class Statement:
    """A statement that fails with each of the given errors, then succeeds."""

    def __init__(self, *errors: str) -> None:
        self.errors, self.tries = list(errors), 0

    def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise DbtRuntimeError(self.errors.pop(0))
        return "done"


CONFLICT = "Error running query: [DELTA_CONCURRENT_APPEND.WITHOUT_HINT] io.delta.exceptions.ConcurrentAppendException"


def test_a_conflict_is_sent_again_after_pauses_that_may_grow() -> None:
    statement, pauses = Statement(CONFLICT, CONFLICT, CONFLICT), list[float]()
    assert conflicts.retry_on_conflict(statement, pauses.append) == "done"
    assert statement.tries == 4
    assert all(0 <= pause <= bound for pause, bound in zip(pauses, (0.2, 0.4, 0.8), strict=True))


@pytest.mark.parametrize(
    "message", ["[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] x", "[TABLE_OR_VIEW_ALREADY_EXISTS] x"]
)
def test_creating_a_table_that_another_run_creates_is_tried_again(message: str) -> None:
    """Its folder exists before its first commit, so the statement finds the table a moment later."""
    answers = iter([RuntimeError(message), RuntimeError("[DELTA_METADATA_CHANGED] x"), None])

    def create() -> str:
        if error := next(answers):
            raise error
        return "there"

    made = conflicts.is_concurrent_creation
    assert conflicts.retry_on_conflict(create, lambda _: None, made) == "there"
    assert not conflicts.is_conflict(RuntimeError(message)), "a write that says so has another reason"
    assert not made(RuntimeError("[TABLE_OR_VIEW_NOT_FOUND] x"))


def test_the_folder_of_a_killed_writer_is_reused() -> None:
    """When its folder stays and no table appears, the table is replaced, which Delta allows."""
    sent: list[str] = []

    def run(statement: str) -> None:
        sent.append(statement)
        if statement.startswith("create table"):
            raise RuntimeError("[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] x")
        if len(sent) < 8:
            raise RuntimeError("[DELTA_METADATA_CHANGED] x")

    conflicts.create_if_missing(run, "shop.t", {"`a`": "int"}, "using delta", lambda _: None)
    over = "create or replace table shop.t using delta as select cast(null as int) as `a` where false"
    assert sent == ["create table if not exists shop.t (`a` int) using delta"] * 6 + [over] * 2


def test_another_error_replaces_no_table() -> None:
    def run(statement: str) -> None:
        assert "replace" not in statement
        raise RuntimeError("[SCHEMA_NOT_FOUND] x")

    with pytest.raises(RuntimeError, match="SCHEMA_NOT_FOUND"):
        conflicts.create_if_missing(run, "shop.t", {"a": "int"}, "using delta", lambda _: None)


def test_a_conflict_that_stays_is_reported() -> None:
    statement = Statement(*[CONFLICT] * 9)
    with pytest.raises(DbtRuntimeError, match="DELTA_CONCURRENT_APPEND"):
        conflicts.retry_on_conflict(statement, lambda _: None)
    assert statement.tries == conflicts.ATTEMPTS


def test_another_error_is_not_sent_again() -> None:
    statement = Statement("[UNRESOLVED_COLUMN] no")
    with pytest.raises(DbtRuntimeError, match="UNRESOLVED_COLUMN"):
        conflicts.retry_on_conflict(statement, lambda _: None)
    assert statement.tries == 1


def test_writers_of_one_table_take_turns() -> None:
    inside, most = [0], [0]

    def write(target: str) -> None:
        with write_turns.turn(target):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.01)
            inside[0] -= 1

    threads = [threading.Thread(target=write, args=(name,)) for name in ("s.t", "S.T", "s.t", "s.t")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    with write_turns.turn("s.a"), write_turns.turn("s.b"):
        pass


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int", "bigint", "widens"),
        ("int", "double", "widens"),
        ("bigint", "double", "impossible"),
        ("bigint", "int", "fits"),
        ("date", "timestamp_ntz", "widens"),
        ("date", "timestamp", "impossible"),
        ("int", "decimal(10,0)", "widens"),
        ("int", "decimal(10,2)", "impossible"),
        ("decimal(10,2)", "decimal(12,4)", "widens"),
        ("decimal(10,2)", "decimal(11,4)", "impossible"),
        ("decimal(12, 4)", "decimal(10,2)", "fits"),
        ("int", "string", "impossible"),
        ("STRING", "string", "fits"),
    ],
)
def test_type_changes(old: str, new: str, expected: str) -> Any:
    assert change(old, new) == expected
