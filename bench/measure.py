"""Measure CPU seconds, memory and wall seconds of commands and processes.

Other work on the machine increases wall seconds, but hardly changes CPU seconds.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
# Seconds between two readings of CpuTimeline.
STEP = 0.2
# Prefixes of the caller's environment variables that would change what a command does.
DROPPED = ("DBT_", "PENSTOCK_")
# Number of characters of a failed command's output that are shown.
SHOWN = 3000
METRIC = re.compile(r"([\d,.]+) (B|KiB|MiB|GiB)")
BINARY_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True)
class Finished:
    """A command that succeeded.

    Attributes:
        wall: seconds until the command ended.
        cpu: CPU seconds of the command and of the processes that it waited for. A server isn't included, because it
            is detached from the command.
        peak: the peak resident memory of any one of these processes, in bytes.
        output: standard output and standard error.
    """

    wall: float
    cpu: float
    peak: int
    output: str


def run_command(
    command: Sequence[str],
    folder: Path,
    bin_folder: Path = BIN,
    variables: Mapping[str, str] | None = None,
    dropped: tuple[str, ...] = DROPPED,
) -> Finished:
    """Run a command and measure it. If the command fails, print its output and end the benchmark.

    Args:
        command: program and arguments; the program's path is relative to `bin_folder`.
        folder: where the command runs.
        bin_folder: folder that is put first on PATH.
        variables: environment variables that are set for the command in addition to the caller's.
        dropped: prefixes of the caller's environment variables that the command doesn't get.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    environment = {**kept, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", **(variables or {})}
    begin = time.monotonic()
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(
            [str(bin_folder / command[0]), *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # also on SIGTERM, so that the command ends before its server
            process.terminate()
            process.wait()
            raise
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        output = file.read().decode(errors="replace")
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{output[-SHOWN:]}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Finished(wall, usage.ru_utime + usage.ru_stime, peak, output)


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def peak_memory(process: psutil.Process) -> int:
    """Return the peak resident memory of a process, in bytes. Works on Linux only."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        sys.exit("needed: /proc, to read the peak of a process's memory. found: none. do: run this part on Linux")
    return parse_peak(status.read_text())


def parse_peak(status: str) -> int:
    """Return the peak resident memory, in bytes, from the text of /proc/PID/status."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    return int(peak[1]) * 1024


def parse_metric(text: str) -> int:
    """Return a metric of Spark's UI as a number. Its text is `2,400`, `56.1 MiB`, or a total with figures of tasks."""
    last = text.splitlines()[-1]
    if size := METRIC.match(last):
        return round(float(size[1].replace(",", "")) * BINARY_UNITS[size[2]])
    return int(last.split(" ")[0].replace(",", ""))


def interpolate(instants: Sequence[float], values: Sequence[float], instant: float) -> float:
    """Interpolate the value at an instant linearly. Before the first and after the last reading, return that reading.

    Args:
        instants: time of each reading, in ascending order.
        values: value of each reading.
    """
    position = bisect_left(instants, instant)
    if position == 0:
        return values[0]
    if position == len(instants):
        return values[-1]
    low, high = instants[position - 1], instants[position]
    return values[position - 1] + (values[position] - values[position - 1]) * (instant - low) / (high - low)


class CpuTimeline:
    """Read the CPU seconds of processes repeatedly in a thread, from the beginning of a `with` block to its end.

    Args:
        processes: processes of the Spark server and of its executors.
    """

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self.processes = list(processes)
        self.instants: list[float] = []
        self.used: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _read(self) -> None:
        total = 0.0
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                total += cpu_seconds(process)
        self.instants.append(time.time())
        self.used.append(total)

    def _watch(self) -> None:
        while not self._end.wait(STEP):
            self._read()

    def __enter__(self) -> CpuTimeline:
        self._read()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self._read()

    def cpu(self, begin: float, end: float) -> float:
        """Return the CPU seconds of all processes between two instants (seconds since the epoch)."""
        return interpolate(self.instants, self.used, end) - interpolate(self.instants, self.used, begin)

    @property
    def total(self) -> float:
        """Return the CPU seconds of all processes from the first reading to the last."""
        return self.used[-1] - self.used[0]
