"""What a commit of a model's table says of the batch that made it, in Delta's own commit information.

Delta writes the text with the rows, in one commit: whoever sees the rows can tell which intervals
they are, what they were made from and by which run, whatever happened to the run afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from penstock.intervals.staleness import Inputs

SETTING = "spark.databricks.delta.commitInfo.userMetadata"
# A session's text marks every commit it makes, Delta's own compaction among them.
REPLACES = ("CREATE OR REPLACE TABLE AS SELECT", "REPLACE TABLE AS SELECT", "CREATE OR REPLACE TABLE", "REPLACE TABLE")
WRITES = ("WRITE", "CREATE TABLE AS SELECT", *REPLACES)
COMPACTS = "OPTIMIZE"
FOREIGN = ("WRITE", "DELETE", "UPDATE", "MERGE", "TRUNCATE", "STREAMING UPDATE")
FORMAT = 1


@dataclass(frozen=True)
class Batch:
    """One commit of some intervals of a model.

    Attributes:
        batch: its id.
        run: dbt's invocation id.
        code: fingerprint of the model's code.
        started: when it began, UTC.
        intervals: what each interval was made from.
        gone: those of them that the inputs no longer have.
        attempts: the number of the try, by interval.
    """

    batch: str
    run: str
    code: str
    started: datetime
    intervals: Mapping[date, Inputs]
    gone: tuple[date, ...] = ()
    attempts: Mapping[date, int] = field(default_factory=dict)

    def dumps(self) -> str:
        """The batch as one line of JSON, without `;`, which Spark's SET refuses."""
        return json.dumps(
            {
                "penstock": FORMAT,
                "batch": self.batch,
                "run": self.run,
                "code": self.code,
                "started": self.started.isoformat(),
                "intervals": {day.isoformat(): dict(sorted(of.items())) for day, of in sorted(self.intervals.items())},
                "gone": [day.isoformat() for day in self.gone],
                "attempts": {day.isoformat(): number for day, number in sorted(self.attempts.items())},
            }
        ).replace(";", ",")

    @classmethod
    def loads(cls, text: str | None) -> Batch | None:
        """A batch from its JSON; None when the text is somebody else's."""
        try:
            data: dict[str, Any] = json.loads(text or "")
            if data["penstock"] != FORMAT:
                return None
            return cls(
                data["batch"],
                data["run"],
                data["code"],
                datetime.fromisoformat(data["started"]),
                {date.fromisoformat(day): of for day, of in data["intervals"].items()},
                tuple(map(date.fromisoformat, data["gone"])),
                {date.fromisoformat(day): int(number) for day, number in data["attempts"].items()},
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class Commit:
    """One commit of a table's history.

    Attributes:
        version: its Delta version.
        operation: Delta's name of it.
        batch: what made it; None when it was no batch of ours.
        restored: the version that a RESTORE brought back.
        rows: rows written, by Delta's metrics; None when it doesn't say.
        marked: id of the batch whose session made it, for a write or the compaction behind it; else empty.
    """

    version: int
    operation: str
    batch: Batch | None = None
    restored: int | None = None
    rows: int | None = None
    marked: str = ""

    @property
    def compacts(self) -> bool:
        """Whether it only rewrote files."""
        return self.operation == COMPACTS

    @property
    def anew(self) -> bool:
        """Whether it made the table anew: nothing of what was there before is left."""
        return self.operation in REPLACES

    @property
    def foreign(self) -> bool:
        """Whether somebody else changed rows."""
        return self.batch is None and self.operation in FOREIGN


def history(rows: Iterable[Mapping[str, Any]]) -> list[Commit]:
    """The commits of DESCRIBE HISTORY, oldest first."""
    found = []
    for row in rows:
        operation = str(row["operation"])
        marks = Batch.loads(row["userMetadata"]) if operation in (*WRITES, COMPACTS) else None
        batch = marks if operation != COMPACTS else None
        restored, rows_written = None, None
        if operation == "RESTORE":
            # A RESTORE to a timestamp names no version: everything counts as lost then.
            version = _pairs(row["operationParameters"]).get("version")
            restored = int(str(version)) if str(version).isdigit() else -1
        elif batch:
            written = _pairs(row["operationMetrics"]).get("numOutputRows")
            rows_written = int(str(written)) if str(written).isdigit() else None
        marked = marks.batch if marks else ""
        found.append(Commit(int(row["version"]), operation, batch, restored, rows_written, marked))
    return sorted(found, key=lambda commit: commit.version)


def _pairs(value: Any) -> dict[str, Any]:
    """A map column, which Thrift hands over as JSON in which some values are JSON without escapes."""
    if isinstance(value, Mapping):
        return dict(value)
    try:
        data = json.loads(str(value))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
