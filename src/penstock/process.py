"""A process of this machine, identified by its id and start time."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process.

    Attributes:
        pid: its id, which the system uses again for other processes.
        started: when it started, in seconds since the epoch.
    """

    pid: int
    started: float

    @classmethod
    def from_pid(cls, pid: int) -> Process:
        """Return the process that has an id now."""
        return cls(pid, psutil.Process(pid).create_time())

    def handle(self) -> psutil.Process | None:
        """Return the live process; None when it has ended or another process has its id."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 2
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None
