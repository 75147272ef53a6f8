"""A run marker is a file in dbt's target folder that exists while a commit runs.

If the process is killed, the file remains, and a later run records the commit as interrupted.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from penstock.process import Process
from penstock.storage import atomic

FOLDER = "intervals"


@dataclass(frozen=True)
class Marker:
    """The content of a run marker.

    Attributes:
        commit_id: the id of the commit.
        run_id: dbt's invocation id.
        intervals: the intervals that the commit builds.
        started: when the commit began, UTC.
        process: dbt's process.
    """

    commit_id: str
    run_id: str
    intervals: tuple[date, ...]
    started: datetime
    process: Process

    @property
    def alive(self) -> bool:
        """Whether the process that wrote the marker still runs."""
        return self.process.handle() is not None


def path(target: Path, relation: str) -> Path:
    """Return the path of a table's run marker.

    Args:
        target: dbt's target folder.
        relation: the table, `schema.name`.
    """
    return target / FOLDER / f"{relation}.json"


def write(
    target: Path, relation: str, commit_id: str, run_id: str, intervals: tuple[date, ...], started: datetime
) -> None:
    """Write the run marker of a commit that is about to start."""
    process = Process.from_pid(os.getpid())
    file = path(target, relation)
    file.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "batch": commit_id,
        "run": run_id,
        "intervals": [day.isoformat() for day in intervals],
        "started": started.isoformat(),
        "process": {"pid": process.pid, "started": process.started},
    }
    atomic.write_text(file, json.dumps(data))


def read(target: Path, relation: str) -> Marker | None:
    """Return the run marker of a table; None if it is missing or unreadable."""
    try:
        data: dict[str, Any] = json.loads(path(target, relation).read_text())
        return Marker(
            data["batch"],
            data["run"],
            tuple(map(date.fromisoformat, data["intervals"])),
            datetime.fromisoformat(data["started"]),
            Process(**data["process"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remove(target: Path, relation: str) -> None:
    """Remove a table's run marker after the commit has ended."""
    path(target, relation).unlink(missing_ok=True)
