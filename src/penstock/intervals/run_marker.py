"""A marker file in dbt's target folder while a commit runs. A later run learns from it that the commit was killed."""

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
    """A commit that began.

    Attributes:
        commit_id, run_id: its ids.
        intervals: the intervals that it builds.
        started: when it began, UTC.
        process: the process that builds it.
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
    """Return the marker file of a table."""
    return target / FOLDER / f"{relation}.json"


def write(
    target: Path, relation: str, commit_id: str, run_id: str, intervals: tuple[date, ...], started: datetime
) -> None:
    """Write the marker of a commit that begins."""
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
    """Return the marker of a table; None when there is none, or none that can be read."""
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
    """Remove the marker: the commit has ended."""
    path(target, relation).unlink(missing_ok=True)
