"""The metadata that penstock adds to a commit of a table: the commit's intervals, inputs and run.

Delta stores the metadata in the commit information, Iceberg in the summary of the snapshot. A commit contains both the
metadata and the rows. So even if the run is killed afterwards, the table's history shows which intervals a commit
wrote, from which inputs, and in which run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from penstock.intervals.staleness import Inputs

# For each table format, the session setting whose text becomes part of the session's commits.
SETTINGS = {
    "delta": "spark.databricks.delta.commitInfo.userMetadata",
    "iceberg": "spark.sql.iceberg.snapshot-property.penstock",
}
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
        removed: the intervals whose rows the commit deletes, because the inputs no longer have these intervals.
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
