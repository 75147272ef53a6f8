"""A note in dbt's target folder for as long as a batch runs: how a later run learns that one was killed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from penstock.process import Process

FOLDER = "intervals"


@dataclass(frozen=True)
class Marker:
    """A batch that began.

    Attributes:
        batch, run: its ids.
        intervals: what it builds.
        started: when it began, UTC.
        process: who builds it.
    """

    batch: str
    run: str
    intervals: tuple[date, ...]
    started: datetime
    process: Process

    @property
    def alive(self) -> bool:
        """Whether the process that left the note is still there."""
        return self.process.handle() is not None


def path(target: Path, relation: str) -> Path:
    """Where the note of a table lies."""
    return target / FOLDER / f"{relation}.json"


def write(target: Path, relation: str, batch: str, run: str, intervals: tuple[date, ...], started: datetime) -> None:
    """Leave the note of a batch that begins."""
    marker = Marker(batch, run, intervals, started, Process.of(os.getpid()))
    file = path(target, relation)
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.part")
    aside.write_text(json.dumps(asdict(marker), default=lambda value: value.isoformat()))
    aside.replace(file)


def read(target: Path, relation: str) -> Marker | None:
    """The note of a table; None when there is none, or none that can be read."""
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
    """The batch has ended, well or not."""
    path(target, relation).unlink(missing_ok=True)
