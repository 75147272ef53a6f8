"""Bring the cluster up, mend it, take it down."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace

import psutil
from filelock import FileLock

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import java
from penstock.spark.access import secret
from penstock.spark.cluster import nodes, record
from penstock.spark.cluster.record import Cluster
from penstock.spark.server import configuration
from penstock.spark.server import control as server
from penstock.storage import private_files

MASTER_PORT, WORKER_PORT, UI_PORT = 7077, 7078, 8080
# Spark's own: a worker whose master is gone asks for it again for about ten minutes, then ends.
UNITS = {"m": 2**20, "g": 2**30}
REGISTERED_SECONDS = 30.0


def _lock(settings: Settings) -> FileLock:
    server.close_state(settings)
    return FileLock(private_files.folder(record.folder(settings)) / "cluster.lock")


def master_port(settings: Settings) -> int:
    """The port that the target's master has, when that is on this machine; else Spark's own."""
    for host, port in addresses.standalone_masters(settings.server.master):
        if addresses.is_loopback(host):
            return port
    return MASTER_PORT


def check(workers: int, cores: int, memory: str) -> None:
    """Refuse a cluster that can't be.

    Raises:
        PenstockError: no worker, no core, or more memory than the machine has free.
    """
    if workers < 1 or cores < 1:
        raise PenstockError("a worker and a core at least", f"{workers} workers of {cores} cores", "ask for 1 or more")
    if not re.fullmatch(r"[1-9][0-9]*[mg]", memory):
        raise PenstockError("memory as in 1g or 900m", repr(memory), "correct --memory")
    wanted = workers * int(memory[:-1]) * UNITS[memory[-1]]
    free = psutil.virtual_memory().available
    if wanted > free:
        found = f"{free / 2**30:.1f} GiB free, {workers} workers of {memory} take {wanted / 2**30:.1f}"
        raise PenstockError("memory for the workers", found, "ask for fewer workers, less --memory, or end programs")
    if cores > 4 * configuration.cores():
        found = f"{configuration.cores()} processors, {cores} cores a worker"
        raise PenstockError("processors for the workers", found, "ask for fewer --cores")


def up(
    settings: Settings, workers: int, cores: int, memory: str, say: Callable[[str], None] = lambda text: None
) -> tuple[Cluster, list[str]]:
    """The running cluster, and the names of what was started for it: all, none, or what had died.

    Args:
        settings: the project's.
        workers: how many there shall be; more are started, fewer ended.
        cores, memory: what each worker offers. A running cluster of other workers is refused.
        say: told, in a few words, what takes time.

    Raises:
        PenstockError: a cluster that can't be, or a node that didn't start.
    """
    check(workers, cores, memory)
    with _lock(settings):
        found = record.read(settings)
        if found and found.started:
            if (found.cores, found.memory) != (cores, memory):
                raise PenstockError(
                    f"workers of {cores} cores and {memory}",
                    f"a cluster that is up with workers of {found.cores} cores and {found.memory}",
                    "`penstock cluster down` first, or ask for what it has",
                )
            cluster = replace(found, wanted=workers)
        else:
            nodes.clear(settings)
            secret.take(record.folder(settings))
            cluster = Cluster(None, {}, workers, cores, memory)
        _end([cluster.workers[n].process.handle() for n in sorted(cluster.workers) if n >= workers])
        cluster = replace(cluster, workers={n: node for n, node in cluster.workers.items() if n < workers})
        started = cluster.dead
        if started:
            cluster = _mend(settings, cluster, say)
        return record.write(settings, cluster), started


def _mend(settings: Settings, cluster: Cluster, say: Callable[[str], None]) -> Cluster:
    """Start what of a cluster is missing; the record knows each as soon as it runs."""
    starter = nodes.Starter(settings, java.find(settings.server.java_home))
    alive = [node for node in cluster.nodes if node.alive]
    taken = {port for node in alive for port in (node.port, node.ui_port)}
    if not (cluster.master and cluster.master.alive):
        say("starting the master")
        # Workers and applications ask for it where it was.
        known = cluster.master if alive else None
        port = known.port if known else nodes.free_port(master_port(settings), taken)
        ui_port = nodes.free_port(known.ui_port if known else UI_PORT, taken)
        cluster = record.write(settings, replace(cluster, master=starter.master(port, ui_port)))
    logs = record.folder(settings) / "logs"
    missing = [n for n in range(cluster.wanted) if n not in cluster.workers or not cluster.workers[n].alive]
    for number in missing:
        say(f"starting worker {number}")
        port = nodes.free_port(WORKER_PORT + number, taken)
        ui_port = nodes.free_port(UI_PORT + 1 + number, taken)
        node = starter.worker(number, cluster.address, cluster.cores, cluster.memory, port, ui_port)
        cluster = record.write(settings, replace(cluster, workers={**cluster.workers, number: node}))
    for number in missing:
        log = logs / f"worker-{number}.log"
        if not nodes.wait_for(lambda log=log: nodes.registered(log), REGISTERED_SECONDS):  # type: ignore[misc]
            raise PenstockError(f"worker {number} taken by the master", nodes.last_words(log, None), f"read {log}")
    return cluster


def _end(handles: list[psutil.Process | None], seconds: float = 20) -> None:
    """End processes with all that they started; those that don't go in time are killed."""
    chosen: list[psutil.Process] = []
    for handle in filter(None, handles):
        with contextlib.suppress(psutil.NoSuchProcess):
            chosen += [handle, *handle.children(recursive=True)]
    for handle in chosen:
        with contextlib.suppress(psutil.NoSuchProcess):
            handle.terminate()
    _, left = psutil.wait_procs(chosen, timeout=seconds)
    for handle in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            handle.kill()
    psutil.wait_procs(left, timeout=10)


def down(settings: Settings) -> bool:
    """End the cluster's processes and their executors; whether there were any."""
    with _lock(settings):
        found = record.read(settings)
        live = bool(found and found.started)
        if found:
            _end([node.process.handle() for node in found.nodes])
        nodes.clear(settings)
        record.remove(settings)
        return live


def current(settings: Settings) -> Cluster | None:
    """The cluster of which something runs; None when nothing does."""
    found = record.read(settings)
    return found if found and found.started else None
