"""What a commit records about itself in Delta's commit information: its intervals, inputs and run.

Delta writes this text and the rows in one commit. Whoever sees the rows can tell which intervals they are, what they
were built from, and by which run, whatever happens to the run afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from penstock.intervals.staleness import Inputs

SETTING = "spark.databricks.delta.commitInfo.userMetadata"
# A session's metadata is on every commit that it makes, Delta's own compaction among them.
REPLACES = ("CREATE OR REPLACE TABLE AS SELECT", "REPLACE TABLE AS SELECT", "CREATE OR REPLACE TABLE", "REPLACE TABLE")
WRITES = ("WRITE", "CREATE TABLE AS SELECT", *REPLACES)
COMPACTS = "OPTIMIZE"
FOREIGN = ("WRITE", "DELETE", "UPDATE", "MERGE", "TRUNCATE", "STREAMING UPDATE")
FORMAT = 1


@dataclass(frozen=True)
class CommitMetadata:
    """The metadata of one commit of some intervals of a model.

    Attributes:
        commit_id: its id, used once.
        run_id: dbt's invocation id.
        code: fingerprint of the model's code.
        started: when the commit began, UTC.
        intervals: the inputs of each interval.
        removed: those of the intervals that the inputs no longer have.
        attempts: the number of the attempt, by interval.
    """

    commit_id: str
    run_id: str
    code: str
    started: datetime
    intervals: Mapping[date, Inputs]
    removed: tuple[date, ...] = ()
    attempts: Mapping[date, int] = field(default_factory=dict)

    def dumps(self) -> str:
        """Return the metadata as one line of JSON, without `;`, which Spark's SET refuses."""
        return json.dumps(
            {
                "penstock": FORMAT,
                "batch": self.commit_id,
                "run": self.run_id,
                "code": self.code,
                "started": self.started.isoformat(),
                "intervals": {
                    day.isoformat(): dict(sorted(inputs.items())) for day, inputs in sorted(self.intervals.items())
                },
                "gone": [day.isoformat() for day in self.removed],
                "attempts": {day.isoformat(): number for day, number in sorted(self.attempts.items())},
            }
        ).replace(";", ",")

    @classmethod
    def loads(cls, text: str | None) -> CommitMetadata | None:
        """Return the metadata in a JSON text; None when another program wrote the text."""
        try:
            data: dict[str, Any] = json.loads(text or "")
            if data["penstock"] != FORMAT:
                return None
            return cls(
                data["batch"],
                data["run"],
                data["code"],
                datetime.fromisoformat(data["started"]),
                {date.fromisoformat(day): inputs for day, inputs in data["intervals"].items()},
                tuple(map(date.fromisoformat, data["gone"])),
                {date.fromisoformat(day): int(number) for day, number in data["attempts"].items()},
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class TableCommit:
    """One commit of a table's history.

    Attributes:
        version: its Delta version.
        operation: Delta's name of it.
        metadata: what penstock recorded in it; None for a commit of another program.
        restored: the version that a RESTORE brought back.
        rows: rows written, by Delta's metrics; None when they don't say.
        session_commit_id: the commit id in the metadata of the session that wrote it, for a write or for the
            compaction that follows it; else empty.
    """

    version: int
    operation: str
    metadata: CommitMetadata | None = None
    restored: int | None = None
    rows: int | None = None
    session_commit_id: str = ""

    @property
    def compacts(self) -> bool:
        """Whether it only rewrote files."""
        return self.operation == COMPACTS

    @property
    def replaces_table(self) -> bool:
        """Whether it replaced the whole table: no earlier row is left."""
        return self.operation in REPLACES

    @property
    def foreign(self) -> bool:
        """Whether another program changed rows."""
        return self.metadata is None and self.operation in FOREIGN


def parse_history(rows: Iterable[Mapping[str, Any]]) -> list[TableCommit]:
    """Return the commits in rows of DESCRIBE HISTORY, oldest first."""
    commits = []
    for row in rows:
        operation = str(row["operation"])
        session = CommitMetadata.loads(row["userMetadata"]) if operation in (*WRITES, COMPACTS) else None
        metadata = session if operation != COMPACTS else None
        restored, rows_written = None, None
        if operation == "RESTORE":
            # A RESTORE to a timestamp names no version: then every interval counts as lost.
            version = _pairs(row["operationParameters"]).get("version")
            restored = int(str(version)) if str(version).isdigit() else -1
        elif metadata:
            written = _pairs(row["operationMetrics"]).get("numOutputRows")
            rows_written = int(str(written)) if str(written).isdigit() else None
        session_id = session.commit_id if session else ""
        commits.append(TableCommit(int(row["version"]), operation, metadata, restored, rows_written, session_id))
    return sorted(commits, key=lambda commit: commit.version)


def _pairs(value: Any) -> dict[str, Any]:
    """Return a map column, which Thrift returns as JSON whose string values may lack escapes."""
    if isinstance(value, Mapping):
        return dict(value)
    try:
        data = json.loads(str(value))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
