"""What processes used, moment by moment: CPU seconds between two instants, and the most memory they held."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import psutil

# Seconds between two looks.
STEP = 0.2


def at(instants: Sequence[float], values: Sequence[float], instant: float) -> float:
    """The value at an instant, on straight lines between those that were seen; before and after, the ends'.

    Args:
        instants: rising.
        values: one for each of them.
    """
    place = bisect_left(instants, instant)
    if place == 0:
        return values[0]
    if place == len(instants):
        return values[-1]
    low, high = instants[place - 1], instants[place]
    return values[place - 1] + (values[place] - values[place - 1]) * (instant - low) / (high - low)


def peak(process: psutil.Process) -> int:
    """The most memory that a process has held, bytes."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        sys.exit("the peak of a process's memory is read from /proc, which only Linux has")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) * 1024


class Watch:
    """Looks at processes from a thread of its own, from the beginning of a `with` to its end.

    Args:
        processes: Spark's server and its executors.
    """

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self.processes = list(processes)
        self.instants: list[float] = []
        self.used: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _once(self) -> None:
        total = 0.0
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        self.instants.append(time.time())
        self.used.append(total)

    def _look(self) -> None:
        while not self._end.wait(STEP):
            self._once()

    def __enter__(self) -> Watch:
        self._once()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self._once()

    def cpu(self, begin: float, end: float) -> float:
        """CPU seconds of all processes between two instants (seconds since the epoch)."""
        return at(self.instants, self.used, end) - at(self.instants, self.used, begin)
