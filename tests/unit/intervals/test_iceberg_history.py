"""The history of an Iceberg table, from rows as its metadata tables have them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest

from penstock.delta.conflicts import is_conflict
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.iceberg_history import IcebergHistory, parse_history

Row = tuple[Any, ...]


def text(commit_id: str) -> str:
    started = datetime(2024, 5, 1, tzinfo=timezone.utc)
    return CommitMetadata(commit_id, "r", "c", started, {date(2024, 1, 1): {"lake.rides": "f"}}).dumps()


def entry(place: int, snapshot: int, at: int, metadata: str | None = None, **values: Any) -> Row:
    """Return an entry of the history; by default a write that has a parent."""
    row = {"committed": at, "parent": snapshot - 1, "operation": "overwrite", "added": "3", **values}
    return place, snapshot, at, row["committed"], row["parent"], row["operation"], metadata, row["added"]


def test_a_commit_of_penstock() -> None:
    """The order is that of the entries, whatever the order of the rows is."""
    first, second = parse_history([entry(1, 12, 200, text("b2")), entry(0, 11, 100, text("b1"), parent=None)])
    assert (first.version, first.replaces_table, first.session_commit_id, first.rows) == (100, True, "b1", 3)
    assert (second.version, second.replaces_table, second.session_commit_id, second.foreign) == (
        200,
        False,
        "b2",
        False,
    )
    assert first.metadata and first.metadata.commit_id == "b1"
    assert second.label == "snapshot 12"


def test_a_rollback_restores_the_version_of_its_snapshot() -> None:
    """A rollback makes an older snapshot current again, later than the snapshot was committed."""
    rows = [
        entry(0, 11, 100, text("b1")),
        entry(1, 12, 200, text("b2")),
        entry(2, 11, 300, text("b1"), committed=100),
    ]
    *_, last = parse_history(rows)
    assert (last.version, last.restored, last.metadata, last.foreign) == (300, 100, None, False)
    assert last.restored_label == "snapshot 11"
    # Iceberg drops the entries before a snapshot that has expired.
    assert parse_history(rows[2:])[0].restored == 100


def test_versions_grow_although_clocks_differ() -> None:
    rows = [entry(0, 11, 100, text("b1")), entry(1, 12, 90, text("b2")), entry(2, 12, 91, committed=90)]
    assert [(commit.version, commit.restored) for commit in parse_history(rows)] == [
        (100, None),
        (101, None),
        (102, 101),
    ]


def test_other_programs_and_compaction() -> None:
    rows = [entry(0, 11, 100, None, operation="append"), entry(1, 12, 200, text("b"), operation="replace")]
    foreign, compaction = parse_history(rows)
    assert (foreign.foreign, foreign.compacts) == (True, False)
    assert (compaction.foreign, compaction.compacts, compaction.session_commit_id) == (False, True, "")


def test_only_the_first_snapshot_of_a_session_is_penstocks() -> None:
    """A hook's DELETE has the session's metadata too."""
    rows = [entry(0, 11, 100, text("b1")), entry(1, 12, 200, text("b1"), operation="delete", added=None)]
    commits = parse_history(rows)
    assert [commit.metadata is not None for commit in commits] == [True, False]
    assert [commit.foreign for commit in commits] == [False, True]


def test_a_commit_without_rows() -> None:
    assert parse_history([entry(0, 11, 100, text("b1"), operation="delete", added=None)])[0].rows == 0


def test_a_write_fails_after_a_commit_that_the_history_lacks() -> None:
    history = IcebergHistory("ice.w.facts")
    assert history.write_options() == "with ('isolation-level' = 'serializable')"
    assert [commit.version for commit in history.newest(lambda sql: [], 1)] == [0]
    assert history.write_options() == "with ('isolation-level' = 'serializable')"
    history.newest(lambda sql: [entry(0, 11, 100, text("b1"))], 1)
    assert history.write_options() == "with ('isolation-level' = 'serializable', 'validate-from-snapshot-id' = '11')"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("org.apache.iceberg.exceptions.CommitFailedException: Commit failed: branch main has changed", True),
        ("ValidationException: Found conflicting files that can contain records matching ref(month)", True),
        ("CommitStateUnknownException: … org.apache.iceberg.exceptions.CommitFailedException", False),
    ],
)
def test_conflicts(message: str, expected: bool) -> None:
    """A commit whose result is unknown must not be sent again."""
    assert is_conflict(Exception(message)) is expected
