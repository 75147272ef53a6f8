"""The metadata of a commit: it is read as it was written, and texts of other programs are not metadata."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.delta_history import parse_history

words = st.text(st.characters(exclude_characters=";", exclude_categories=["Cs"]), max_size=12)
months = st.dates(date(2020, 1, 1), date(2025, 12, 1)).map(lambda day: day.replace(day=1))
commits = st.builds(
    CommitMetadata,
    words,
    words,
    words,
    st.datetimes(timezones=st.just(timezone.utc)),
    st.dictionaries(months, st.dictionaries(words, words, max_size=3), max_size=4),
    st.lists(months, max_size=3).map(tuple),
    st.dictionaries(months, st.integers(1, 9), max_size=4),
)
METADATA = CommitMetadata(
    "b1", "r1", "c1", datetime(2024, 5, 1, tzinfo=timezone.utc), {date(2024, 1, 1): {"lake.green": "f"}}
)


def row(
    version: int, operation: str, text: str | None = None, parameters: str = "{}", metrics: str = "{}"
) -> dict[str, Any]:
    """Return a row of DESCRIBE HISTORY over Thrift, where maps are text."""
    return {
        "version": version,
        "operation": operation,
        "userMetadata": text,
        "operationParameters": parameters,
        "operationMetrics": metrics,
    }


@given(metadata=commits)
def test_metadata_is_read_as_it_was_written(metadata: CommitMetadata) -> None:
    text = metadata.dumps()
    assert CommitMetadata.loads(text) == metadata
    assert ";" not in text and "\n" not in text, "Spark's SET takes one line without a semicolon"


@given(st.none() | st.text() | st.recursive(st.integers() | st.text(), lambda of: st.lists(of)).map(json.dumps))
def test_the_text_of_another_program_is_not_metadata(text: str) -> None:
    assert CommitMetadata.loads(text) is None


@pytest.mark.parametrize("change", [{"penstock": 2}, {"started": "soon"}, {"intervals": {"May": {}}}, {"gone": None}])
def test_a_text_in_another_format_is_not_metadata(change: dict[str, Any]) -> None:
    assert CommitMetadata.loads(json.dumps({**json.loads(METADATA.dumps()), **change})) is None


@given(st.permutations(range(5)))
def test_history_is_in_the_order_of_versions(order: list[int]) -> None:
    assert [commit.version for commit in parse_history(row(version, "WRITE") for version in order)] == [0, 1, 2, 3, 4]


def test_only_a_write_has_metadata() -> None:
    """A session's text is in every commit that it makes, also in Delta's compaction."""
    text = METADATA.dumps()
    operations = ["CREATE OR REPLACE TABLE AS SELECT", "WRITE", "OPTIMIZE", "CREATE TABLE", "ADD COLUMNS", "DELETE"]
    found = parse_history(row(version, name, text) for version, name in enumerate(operations))
    assert [commit.metadata is not None for commit in found] == [True, True, False, False, False, False]


def test_foreign_commits() -> None:
    found = parse_history(row(version, name) for version, name in enumerate(["WRITE", "DELETE", "MERGE", "OPTIMIZE"]))
    assert [commit.foreign for commit in found] == [True, True, True, False]
    assert not parse_history([row(1, "WRITE", METADATA.dumps())])[0].foreign


def test_commits_that_replace_the_table() -> None:
    operations = ["WRITE", "CREATE TABLE", "CREATE OR REPLACE TABLE AS SELECT", "REPLACE TABLE", "RESTORE", "CLONE"]
    found = parse_history(row(version, name) for version, name in enumerate(operations))
    assert [commit.replaces_table for commit in found] == [False, False, True, True, False, False]


def test_rows_are_those_of_deltas_metrics() -> None:
    metrics: list[Any] = [{"numOutputRows": "12"}, '{"numOutputRows":"12"}', "{}", "not json", "[1]"]
    found = parse_history(row(version, "WRITE", METADATA.dumps(), metrics=of) for version, of in enumerate(metrics))
    assert [commit.rows for commit in found] == [12, 12, None, None, None]


def test_a_restore_names_its_version() -> None:
    """A RESTORE to a timestamp names no version, so the rows are not known."""
    newest = '{"version":null,"timestamp":"2024-01-01"}'
    parameters: list[Any] = ['{"version":"3","timestamp":null}', {"version": 3}, newest, "{}"]
    found = parse_history(row(version, "RESTORE", parameters=of) for version, of in enumerate(parameters))
    assert [commit.restored for commit in found] == [3, 3, -1, -1]


def test_the_start_is_in_utc() -> None:
    elsewhere = datetime(2024, 5, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    read = CommitMetadata.loads(CommitMetadata("b", "r", "c", elsewhere, {}).dumps())
    assert read is not None and read.started == METADATA.started


def test_a_compaction_has_the_commit_id_of_its_session() -> None:
    operations = ["WRITE", "OPTIMIZE", "SET TBLPROPERTIES", "RESTORE"]
    found = parse_history(row(version, name, METADATA.dumps()) for version, name in enumerate(operations))
    assert [commit.session_commit_id for commit in found] == [METADATA.commit_id, METADATA.commit_id, "", ""]
    assert [commit.metadata is None for commit in found] == [False, True, True, True]
    assert not parse_history([row(1, "OPTIMIZE")])[0].session_commit_id
