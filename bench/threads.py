"""Measure CPU seconds of a project's server while a command runs: by process, and for Spark by group of threads.

This works on Linux only, because it reads /proc. The counter of a thread disappears when the thread ends. The sampler
therefore reads all threads every second, and counts the CPU time after a thread's last reading as `ended threads`.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

SPARK, SUPERVISOR = "spark", "supervisor"
STEP = 1.0
# A measurement lasts until Spark has also done the work that a command leaves: compilation, listeners. Spark is idle
# below IDLE_CPU seconds of CPU time a second, and the wait ends after IDLE_LIMIT seconds.
IDLE_CPU, IDLE_LIMIT = 0.15, 20.0
TICK = os.sysconf("SC_CLK_TCK")
FORKED, ENDED, OTHER = "processes that Spark forked", "ended threads", "other"
# The kernel cuts a thread's name to 15 characters.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "C2 compiler": ("C2 CompilerThre",),
    "C1 compiler": ("C1 CompilerThre",),
    "code sweeper": ("Sweeper thread",),
    "garbage collection": ("GC Thread", "G1 ", "ParGC", "VM Thread"),
    "tasks": ("Executor task l",),
    "Thrift handlers": ("HiveServer2-", "ThriftBinaryCLI"),
    "Connect": ("grpc-", "SparkConnect"),
    "query stages": ("shuffle-exchang", "broadcast-excha", "ResultQueryStag", "QueryStageCreat", "subquery-"),
    "scheduler": ("dag-scheduler-e", "task-result-get", "dispatcher-", "block-manager-", "map-output-disp"),
    "listeners and UI": ("spark-listener-", "SparkUI", "element-trackin"),
    "main thread (start)": ("java",),
    FORKED: (FORKED,),
    ENDED: (ENDED,),
}

Threads = dict[tuple[int, str], tuple[str, float]]


def group_of(name: str) -> str:
    """Return the group that a thread belongs to by its name."""
    return next((group for group, prefixes in GROUPS.items() if name.startswith(prefixes)), OTHER)


def cpu_by_group(names: Mapping[str, float]) -> dict[str, float]:
    """Return CPU seconds by group, from CPU seconds by thread name."""
    groups: defaultdict[str, float] = defaultdict(float)
    for name, seconds in names.items():
        groups[group_of(name)] += seconds
    return dict(groups)


def parse_stat(text: str) -> tuple[str, float, str]:
    """Return name, CPU seconds and start time of a thread or process from its `stat` file (man 5 proc)."""
    name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    return name, (int(fields[11]) + int(fields[12])) / TICK, fields[19]


def read_threads(pid: int) -> Threads:
    """Return the name and CPU seconds of each thread. The key has id and start time, because ids are reused."""
    threads: Threads = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            name, cpu, started = parse_stat((task / "stat").read_text())
            threads[int(task.name), started] = (name, cpu)
    return threads


def read_process(pid: int, forks: bool = True) -> tuple[float, float]:
    """Return two numbers: the CPU seconds of a process, and those of the processes that it forked.

    Args:
        pid: id of the process.
        forks: whether to read the second number; if not, it is 0. It isn't read for the supervisor, because its forks
            are the server's other processes, which are measured themselves.
    """
    process = psutil.Process(pid)
    own, forked = process.cpu_times(), 0.0
    if forks:
        forked = own.children_user + own.children_system
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = child.cpu_times()
                forked += times.user + times.system + times.children_user + times.children_system
    return own.user + own.system, forked


def server_processes(folder: Path) -> dict[str, int]:
    """Return process ids by role from the record of a project's server; empty if no server runs."""
    try:
        record = json.loads((folder / ".penstock" / "server.json").read_text())
    except (OSError, ValueError):
        return {}
    return {role: item["pid"] for role, item in record.items() if isinstance(item, dict) and "pid" in item}


class ServerSampler:
    """Read the CPU seconds of a project's server from the beginning of a `with` block to its end.

    A server that starts inside the block is measured from its start.

    Args:
        folder: the project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[tuple[str, int], tuple[float, float]] = {}
        self.threads: dict[tuple[int, int, str], tuple[str, float]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _read(self) -> None:
        for role, pid in server_processes(self.folder).items():
            if role == SPARK:
                self.threads.update({(pid, *key): item for key, item in read_threads(pid).items()})
            with contextlib.suppress(psutil.Error):
                self.processes[role, pid] = read_process(pid, forks=role != SUPERVISOR)

    def _watch(self) -> None:
        while not self._end.wait(STEP):
            self._read()

    def __enter__(self) -> ServerSampler:
        self._read()
        self._first = dict(self.processes), dict(self.threads)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self._read()

    def wait_until_idle(self) -> None:
        """Wait until Spark is idle, at most 20 seconds."""
        limit = time.monotonic() + IDLE_LIMIT
        pid = server_processes(self.folder).get(SPARK)
        with contextlib.suppress(psutil.Error):
            while pid and time.monotonic() < limit:
                before = sum(read_process(pid))
                time.sleep(1)
                if sum(read_process(pid)) - before < IDLE_CPU:
                    return

    def by_process(self) -> dict[str, float]:
        """Return CPU seconds by role. A role includes the processes that its process forked."""
        roles: defaultdict[str, float] = defaultdict(float)
        for key, cpu in self.processes.items():
            roles[key[0]] += sum(cpu) - sum(self._first[0].get(key, (0.0, 0.0)))
        return dict(roles)

    def by_thread(self) -> dict[str, float]:
        """Return Spark's CPU seconds by thread name. Their sum is Spark's number in `by_process`."""
        names: defaultdict[str, float] = defaultdict(float)
        for key, (name, cpu) in self.threads.items():
            names[name] += cpu - self._first[1].get(key, (name, 0.0))[1]
        live = sum(names.values())
        own = forked = 0.0
        for process, now in self.processes.items():
            if process[0] == SPARK:
                begin = self._first[0].get(process, (0.0, 0.0))
                own, forked = own + now[0] - begin[0], forked + now[1] - begin[1]
        return {**names, ENDED: own - live, FORKED: forked}
