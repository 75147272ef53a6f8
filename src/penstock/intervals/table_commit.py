"""A commit of a table's history, whatever the table's format is."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.intervals.commit_metadata import CommitMetadata


@dataclass(frozen=True)
class TableCommit:
    """One commit of a table's history.

    Attributes:
        version: a number that grows with each commit of the table: Delta's version, or for Iceberg the time at which
            the snapshot became current, in milliseconds since 1970.
        operation: the table format's name of the operation.
        metadata: penstock's metadata; None for a commit of another program and for a compaction.
        restored: the version that the commit restored; -1 if it is unknown, None if the commit restored none.
        rows: the number of written rows from the table format's metrics; None if the metrics lack this number.
        session_commit_id: the commit id in the session's metadata, for a write and for the compaction after it;
            empty without such metadata.
        compacts: whether the commit only rewrote files.
        replaces_table: whether the commit replaced the whole table, so that no earlier row remains.
        foreign: whether another program changed rows.
        snapshot: Iceberg's id of the snapshot; for a rollback, the id of the restored snapshot; empty for Delta.
    """

    version: int
    operation: str
    metadata: CommitMetadata | None = None
    restored: int | None = None
    rows: int | None = None
    session_commit_id: str = ""
    compacts: bool = False
    replaces_table: bool = False
    foreign: bool = False
    snapshot: str = ""

    @property
    def label(self) -> str:
        """The commit's name for messages: `version 3`, or `snapshot 6768618992823638772`."""
        return f"snapshot {self.snapshot}" if self.snapshot else f"version {self.version}"

    @property
    def restored_label(self) -> str:
        """The name of the restored version for messages."""
        return f"snapshot {self.snapshot}" if self.snapshot else f"version {self.restored}"
