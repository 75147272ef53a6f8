"""The metadata that penstock writes to Delta's commit information: the commit's intervals, inputs and run.

Delta writes this metadata and the rows in one commit. So the table's history shows which intervals a commit wrote,
from which inputs, and in which run, even if the run is killed afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from penstock.intervals.staleness import Inputs

SETTING = "spark.databricks.delta.commitInfo.userMetadata"
# Delta adds a session's metadata to every commit of the session, including automatic compaction.
REPLACES = ("CREATE OR REPLACE TABLE AS SELECT", "REPLACE TABLE AS SELECT", "CREATE OR REPLACE TABLE", "REPLACE TABLE")
WRITES = ("WRITE", "CREATE TABLE AS SELECT", *REPLACES)
COMPACTS = "OPTIMIZE"
FOREIGN = ("WRITE", "DELETE", "UPDATE", "MERGE", "TRUNCATE", "STREAMING UPDATE")
FORMAT = 1


@dataclass(frozen=True)
class CommitMetadata:
    """The metadata of one commit to a model's table.

    Attributes:
        commit_id: the unique id of the commit.
        run_id: dbt's invocation id.
        code: fingerprint of the model's code.
        started: when the commit began, UTC.
        intervals: the intervals that the commit writes, each with the versions of its inputs.
        removed: the intervals whose rows the commit deletes, because the inputs no longer have them.
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
        """Return the metadata as one line of JSON. The text contains no `;`, which Spark's SET refuses."""
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
        """Parse metadata from JSON; return None if another program wrote the text."""
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
        version: the Delta version that the commit created.
        operation: Delta's name of the operation.
        metadata: penstock's metadata; None for a commit of another program and for a compaction.
        restored: the version that a RESTORE restored; -1 if it is unknown, None for other operations.
        rows: the number of written rows from Delta's metrics; None if the metrics lack this number.
        session_commit_id: the commit id in the session's metadata, for a write and for the compaction after it;
            empty without such metadata.
    """

    version: int
    operation: str
    metadata: CommitMetadata | None = None
    restored: int | None = None
    rows: int | None = None
    session_commit_id: str = ""

    @property
    def compacts(self) -> bool:
        """Whether the commit only rewrote files."""
        return self.operation == COMPACTS

    @property
    def replaces_table(self) -> bool:
        """Whether the commit replaced the whole table, so that no earlier row remains."""
        return self.operation in REPLACES

    @property
    def foreign(self) -> bool:
        """Whether another program changed rows."""
        return self.metadata is None and self.operation in FOREIGN


def parse_history(rows: Iterable[Mapping[str, Any]]) -> list[TableCommit]:
    """Return the commits in rows of DESCRIBE HISTORY, in chronological order."""
    commits = []
    for row in rows:
        operation = str(row["operation"])
        session = CommitMetadata.loads(row["userMetadata"]) if operation in (*WRITES, COMPACTS) else None
        metadata = session if operation != COMPACTS else None
        restored, rows_written = None, None
        if operation == "RESTORE":
            # A RESTORE to a timestamp records no version. Then no interval counts as built.
            version = parse_map(row["operationParameters"]).get("version")
            restored = int(str(version)) if str(version).isdigit() else -1
        elif metadata:
            written = parse_map(row["operationMetrics"]).get("numOutputRows")
            rows_written = int(str(written)) if str(written).isdigit() else None
        session_id = session.commit_id if session else ""
        commits.append(TableCommit(int(row["version"]), operation, metadata, restored, rows_written, session_id))
    return sorted(commits, key=lambda commit: commit.version)


def parse_map(value: Any) -> dict[str, Any]:
    """Return the value of a map column as a dict; empty if it can't be parsed.

    Thrift returns maps as JSON in which special characters may not be escaped.
    """
    if isinstance(value, Mapping):
        return dict(value)
    try:
        data = json.loads(str(value))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
