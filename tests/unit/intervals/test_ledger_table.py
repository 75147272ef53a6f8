"""The ledger's statements in Spark's grammar, and the state of a table by its rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.intervals import ledger_table
from penstock.intervals.ledger_table import LedgerRow, LedgerState, append_sql, literal, parse_states, read_sql
from penstock.intervals.staleness import BuiltInterval
from penstock.intervals.table_commit import TableCommit

MONTHS = [date(2024, month, 1) for month in (1, 2, 3)]
JANUARY, FEBRUARY, _ = MONTHS


def spark(sql: str) -> Any:
    """Parse a statement with Spark's grammar."""
    return sqlglot.parse_one(sql, read="spark")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_is_one_literal(text: str) -> None:
    """A message may contain quotes and backslashes."""
    found = spark(f"select {literal(text)} as it").selects[0].this
    assert isinstance(found, sqlglot.exp.Literal) and found.this == text


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "null"),
        (3, "3"),
        (0.12345, "0.123D"),
        (JANUARY, "date'2024-01-01'"),
        (datetime(2024, 1, 2, 3, 4, 5, 6), "timestamp_ntz'2024-01-02 03:04:05.000006'"),
        (datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-2))), "timestamp_ntz'2024-01-01 02:00:00.000000'"),
        ({"w.b": "it's", "lake.a": "1"}, "map('lake.a', '1', 'w.b', 'it\\'s')"),
        ({}, "map()"),
    ],
)
def test_the_literal_of_a_value(value: Any, sql: str) -> None:
    assert literal(value) == sql


def test_a_row_has_every_column_in_its_order() -> None:
    event = LedgerRow(
        "b", "r", "facts", "w.facts", JANUARY, "month", ledger_table.BUILT, inputs={"lake.a": "1"}, message="new"
    )
    found = spark(append_sql("w.batch_runs", [event, event]))
    assert [column.name for column in found.this.expressions] == list(ledger_table.COLUMNS)
    rows = found.expression.expressions
    assert len(rows) == 2 and {len(row.expressions) for row in rows} == {len(ledger_table.COLUMNS)}
    sent: list[str] = []
    ledger_table.create(sent.append, "w.batch_runs")
    created = spark(sent[0]).this.expressions
    assert [(column.name, column.find(sqlglot.exp.CommentColumnConstraint).this.this) for column in created] == [
        (name, words) for name, (_, words) in ledger_table.COLUMNS.items()
    ]


# What may happen to a table, one version after another: (what, which months, inputs).
Steps = list[tuple[str, set[date], str]]
steps = st.lists(
    st.tuples(
        st.sampled_from([ledger_table.BUILT, ledger_table.REMOVED, ledger_table.FAILED, ledger_table.INTERRUPTED]),
        st.sets(st.sampled_from(MONTHS), min_size=1),
        st.sampled_from("ab"),
    ),
    max_size=8,
)


def happened(done: Steps) -> tuple[list[LedgerRow], int, dict[date, BuiltInterval], dict[date, int], dict[date, int]]:
    """Return the ledger's rows of some steps, and the state after them, computed without SQL."""
    events: list[LedgerRow] = []
    version = 0
    built: dict[date, BuiltInterval] = {}
    failed: dict[date, int] = {}
    gone: dict[date, int] = {}
    for place, (outcome, months, content) in enumerate(done):
        whole = outcome in ledger_table.HELD
        version += whole
        for month in sorted(months):
            held = built.get(month)
            at = version if whole else held.version if held else gone.get(month)
            events.append(
                LedgerRow(
                    f"b{place}", "r", "facts", "w.facts", month, "month", outcome,
                    inputs={"lake.a": content}, code="c", rows_out=place, delta_version=at, table_id="t",
                )
            )  # fmt: skip
            if outcome == ledger_table.BUILT:
                built[month] = BuiltInterval(f"b{place}", {"lake.a": content}, "c", version, place)
                failed.pop(month, None)
            elif outcome == ledger_table.REMOVED:
                built.pop(month, None)
                failed[month], gone[month] = 0, version
            elif held:
                built[month] = BuiltInterval(
                    held.commit_id, held.inputs, held.code, held.version, held.rows, held.failed + 1
                )
            else:
                failed[month] = failed.get(month, 0) + 1
    return events, version, built, failed, gone


def read(events: Iterable[LedgerRow], **only: Any) -> dict[tuple[str, str], LedgerState]:
    """Return the state of `w.facts` by the ledger's statement, which DuckDB runs on the same rows."""
    with duckdb.connect() as database:
        database.execute(
            "create table batch_runs (batch_id text, relation text, interval_start date, outcome text,"
            " inputs map(text, text), code text, rows_out bigint, delta_version bigint, table_id text, grain text)"
        )
        for event in events:
            database.execute(
                "insert into batch_runs values (?, ?, ?, ?, map(?, ?), ?, ?, ?, ?, ?)",
                [event.batch_id, event.relation, event.interval_start, event.outcome, list(event.inputs),
                 list(event.inputs.values()), event.code, event.rows_out, event.delta_version, event.table_id,
                 event.grain],
            )  # fmt: skip
        sql = read_sql("batch_runs", **only)
        # DuckDB's syntax of a struct.
        sql = sql.replace(
            "struct(outcome, batch_id, code, inputs, rows_out, grain)",
            "{'outcome': outcome, 'batch_id': batch_id, 'code': code, 'inputs': inputs, 'rows_out': rows_out,"
            " 'grain': grain}",
        )
        return parse_states(database.execute(sql).fetchall())


@given(steps)
@settings(max_examples=30, deadline=None)
def test_the_state_after_some_steps(done: Steps) -> None:
    """The newest version of each month counts, attempts are counted since then, and no clock is used."""
    events, version, built, failed, gone = happened(done)
    found = read(reversed(events)).get(("w.facts", "t"), LedgerState())
    assert found.built == built
    assert found.version == (version or -1)
    assert found.grain == ("month" if version else "")
    assert {month: at for month, at in found.removed.items() if month not in built} == (
        {month: at for month, at in gone.items() if month not in built}
    )
    for month in MONTHS:
        held = built.get(month)
        assert found.attempt(month) == 1 + (held.failed if held else failed.get(month, 0))


@given(steps, st.integers(0, 4))
@settings(max_examples=20, deadline=None)
def test_the_state_of_an_older_version(done: Steps, upto: int) -> None:
    """A restored table has the intervals of the older version."""
    events, *_ = happened(done)
    whole = [event for event in events if event.outcome in ledger_table.HELD and (event.delta_version or 0) <= upto]
    then = {event.interval_start: event for event in whole}
    expected = {month: event.batch_id for month, event in then.items() if event.outcome == ledger_table.BUILT}
    found = read(events, table="w.facts", up_to=upto).get(("w.facts", "t"), LedgerState())
    assert {month: held.commit_id for month, held in found.built.items()} == expected


def test_the_states_of_different_tables() -> None:
    """Tables differ by name or by Delta's id: a table that was created again has no intervals."""
    rows = [
        ("w.facts", "old", "2024-01-01", 4, '{"outcome":"built","batch_id":"b","code":"c","inputs":{}}', 0),
        ("w.facts", "new", JANUARY, -1, None, 2),
        ("w.days", "old", "2024-01-01", 1, '{"outcome":"removed","batch_id":"b","code":"c"}', 0),
    ]
    found = parse_states(rows)
    assert found["w.facts", "old"] == LedgerState(4, {JANUARY: BuiltInterval("b", {}, "c", 4)})
    assert found["w.facts", "new"] == LedgerState(-1, {}, {JANUARY: 2})
    assert found["w.facts", "new"].attempt(JANUARY) == 3 and found["w.facts", "new"].attempt(FEBRUARY) == 1
    assert found["w.days", "old"] == LedgerState(1, {}, {JANUARY: 0}, {JANUARY: 1})


@pytest.mark.parametrize(
    ("newest", "same"),
    [
        (TableCommit(7, "WRITE", session_commit_id="b"), True),
        (TableCommit(8, "OPTIMIZE", session_commit_id="b", compacts=True), True),
        (TableCommit(7, "OPTIMIZE", session_commit_id="b", compacts=True), False),
        (TableCommit(9, "OPTIMIZE", session_commit_id="b", compacts=True), False),
        (TableCommit(8, "WRITE", session_commit_id="b"), False),
        (TableCommit(7, "WRITE", session_commit_id="other"), False),
        (TableCommit(7, "WRITE"), False),
        (TableCommit(8, "OPTIMIZE", compacts=True), False),
    ],
)
def test_a_state_ends_with_the_tables_newest_commit(newest: TableCommit, same: bool) -> None:
    """The same version of another table has another commit id."""
    january, february = date(2024, 1, 1), date(2024, 2, 1)
    built = {january: BuiltInterval("a", {}, "c", 6), february: BuiltInterval("b", {}, "c", 7)}
    assert LedgerState(7, built).ends_with(newest) is same
    # A batch that only took intervals away leaves none that names it.
    assert not LedgerState(7, {january: built[january]}).ends_with(newest)
