"""A process of this machine, known by its id and the moment it started."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process: its id and the moment it started (seconds since the epoch)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has an id now."""
        return cls(pid, psutil.Process(pid).create_time())

    def handle(self) -> psutil.Process | None:
        """The live process; None when it has ended or its id now belongs to another."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 2
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None
