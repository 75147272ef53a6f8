"""Read an Iceberg table's newest commits from its metadata tables.

Iceberg's snapshot ids have no order, and a rollback creates no snapshot. So this module reads the metadata table
`history`, which has an entry for each snapshot that became current, also by a rollback. The version of a commit is the
time at which its snapshot became current, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import RunSql
from penstock.intervals.model_config import PROPERTY, TABLE_ID
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_state import IntervalTable

COMPACTS = "replace"
CREATED = TableCommit(0, "create")


class IcebergHistory:
    """The history of an Iceberg table.

    Args:
        relation: the table.
    """

    def __init__(self, relation: str) -> None:
        self._relation = relation
        self._current = ""

    def use_files(self) -> None:
        """Do nothing: only the catalog knows the table's newest commit."""

    def use_server(self) -> None:
        """Do nothing: `newest` always queries the server."""

    def newest(self, run_sql: RunSql, limit: int) -> list[TableCommit]:
        """Return the newest commits, in chronological order; for a table without snapshots, one commit of version 0."""
        commits = parse_history(run_sql(history_sql(self._relation)))[-limit:] or [CREATED]
        self._current = commits[-1].snapshot
        return commits

    def describe(self, run_sql: RunSql) -> IntervalTable:
        """Return the table's id and grain, without its intervals.

        Spark doesn't show Iceberg's own id of a table. So each statement that creates or replaces the table of an
        interval model sets a new id as a table property.
        """
        properties = {str(row[0]): str(row[1]) for row in run_sql(f"show tblproperties {self._relation}")}
        return IntervalTable(properties.get(TABLE_ID, ""), properties.get(PROPERTY, ""))

    def write_options(self) -> str:
        """Return the options that make a write fail if a commit since the last `newest` wrote the same intervals.

        Without these options, Iceberg replaces the rows of that commit without an error.
        """
        since = f", 'validate-from-snapshot-id' = '{self._current}'" if self._current else ""
        return f"with ('isolation-level' = 'serializable'{since})"


def history_sql(relation: str) -> str:
    """Return the query for the entries of a table's history, each with its position in the history."""
    return (
        "select h.place, h.snapshot_id, unix_millis(h.made_current_at), unix_millis(s.committed_at), s.parent_id, "
        "s.operation, s.summary['penstock'], s.summary['added-records'] "
        f"from (select *, monotonically_increasing_id() as place from {relation}.history) h "
        f"left join {relation}.snapshots s on s.snapshot_id = h.snapshot_id"
    )


def parse_history(rows: Iterable[Sequence[Any]]) -> list[TableCommit]:
    """Return the commits in rows of `history_sql`, in chronological order."""
    commits: list[TableCommit] = []
    written: set[str] = set()
    for _, snapshot, current, committed, parent, operation, text, added in sorted(tuple(row) for row in rows):
        if committed is None:
            continue  # the snapshot has expired
        # Versions must grow with each entry. Times don't always grow, because the clocks of two servers can differ.
        version = max(int(current), commits[-1].version + 1 if commits else 0)
        if int(committed) != int(current):
            known = [commit.version for commit in commits if commit.snapshot == str(snapshot)]
            restored = known[0] if known else int(committed)
            commits.append(TableCommit(version, "rollback", restored=restored, snapshot=str(snapshot)))
            continue
        session = CommitMetadata.loads(text)
        # A later change of the same session, for example by a hook, has the session's metadata too. So the metadata
        # only counts for the first snapshot that has it.
        metadata = session if session and session.commit_id not in written and operation != COMPACTS else None
        written |= {metadata.commit_id} if metadata else set()
        commits.append(
            TableCommit(
                version,
                str(operation),
                metadata,
                None,
                int(added or 0) if metadata else None,
                metadata.commit_id if metadata else "",
                compacts=operation == COMPACTS,
                replaces_table=parent is None,
                foreign=metadata is None and operation != COMPACTS,
                snapshot=str(snapshot),
            )
        )
    return commits
