"""A process on this machine, identified by its id and its start time."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Process:
    """A process on this machine.

    Attributes:
        pid: the process id. The operating system reuses it after the process ends.
        started: start time, in seconds since the epoch.
    """

    pid: int
    started: float

    @classmethod
    def from_pid(cls, pid: int) -> Process:
        """Return the process that currently has this id."""
        return cls(pid, psutil.Process(pid).create_time())

    def handle(self) -> psutil.Process | None:
        """Return the running process, or None if it has ended or its id now belongs to another process."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 2
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None
