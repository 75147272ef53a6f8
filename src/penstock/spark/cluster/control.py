"""Start and stop the cluster, and restart nodes that have died."""

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
UNITS = {"m": 2**20, "g": 2**30}
REGISTRATION_SECONDS = 30.0


def _lock(settings: Settings) -> FileLock:
    server.make_state_folders(settings)
    return FileLock(private_files.make_folder(record.folder(settings)) / "cluster.lock")


def master_port(settings: Settings) -> int:
    """If the target's master is on this machine, return its port; otherwise return Spark's default port."""
    for host, port in addresses.standalone_masters(settings.server.master):
        if addresses.is_loopback(host):
            return port
    return MASTER_PORT


def check_size(workers: int, cores: int, memory: str) -> None:
    """Check that this machine has enough memory and cores for a cluster of this size.

    Args:
        workers: the number of workers.
        cores: the number of cores of each worker.
        memory: the memory of each worker, for example `1g`.

    Raises:
        PenstockError: a number is below 1, the memory is invalid or exceeds the free memory, or there are too many
            cores.
    """
    if workers < 1 or cores < 1:
        raise PenstockError("at least a worker and a core", f"{workers} workers of {cores} cores", "ask for 1 or more")
    if not re.fullmatch(r"[1-9][0-9]*[mg]", memory):
        raise PenstockError("memory as in 1g or 900m", repr(memory), "correct --memory")
    requested = workers * int(memory[:-1]) * UNITS[memory[-1]]
    free = psutil.virtual_memory().available
    if requested > free:
        found = f"{free / 2**30:.1f} GiB free, {workers} workers of {memory} take {requested / 2**30:.1f}"
        raise PenstockError("memory for the workers", found, "ask for fewer workers, less --memory, or end programs")
    if cores > 4 * configuration.cores():
        found = f"{configuration.cores()} processors, {cores} cores a worker"
        raise PenstockError("processors for the workers", found, "ask for fewer --cores")


def up(
    settings: Settings, workers: int, cores: int, memory: str, progress: Callable[[str], None] = lambda text: None
) -> tuple[Cluster, list[str]]:
    """Start the cluster. If it is running, start its dead nodes and adjust the number of workers.

    Args:
        settings: the project's settings.
        workers: the requested number of workers.
        cores: the number of cores of each worker.
        memory: the memory of each worker, for example `1g`.
        progress: called with a short text before each slow step.

    Returns:
        The running cluster, and the names of the nodes that were started.

    Raises:
        PenstockError: the machine is too small for the cluster, a running cluster has workers of another size, or a
            node failed to start.
    """
    check_size(workers, cores, memory)
    with _lock(settings):
        running = record.read(settings)
        if running and running.is_running:
            if (running.cores, running.memory) != (cores, memory):
                raise PenstockError(
                    f"workers of {cores} cores and {memory}",
                    f"a running cluster with workers of {running.cores} cores and {running.memory}",
                    "`penstock cluster down` first, or ask for workers of that size",
                )
            cluster = replace(running, wanted=workers)
        else:
            nodes.remove_state(settings)
            secret.ensure(record.folder(settings))
            cluster = Cluster(None, {}, workers, cores, memory)
        _terminate([cluster.workers[n].process.handle() for n in sorted(cluster.workers) if n >= workers])
        cluster = replace(cluster, workers={n: node for n, node in cluster.workers.items() if n < workers})
        dead = cluster.dead
        if dead:
            cluster = _start_dead_nodes(settings, cluster, progress)
        return record.write(settings, cluster), dead


def _start_dead_nodes(settings: Settings, cluster: Cluster, progress: Callable[[str], None]) -> Cluster:
    """Start the nodes that are not running. Write the record after each start."""
    starter = nodes.Starter(settings, java.find(settings.server.java_home))
    alive = [node for node in cluster.nodes if node.alive]
    taken = {port for node in alive for port in (node.port, node.ui_port)}
    if not (cluster.master and cluster.master.alive):
        progress("starting the master")
        # Workers and applications that are still running reconnect to the master's previous port, so keep the port.
        previous = cluster.master if alive else None
        port = previous.port if previous else nodes.free_port(master_port(settings), taken)
        ui_port = nodes.free_port(previous.ui_port if previous else UI_PORT, taken)
        cluster = record.write(settings, replace(cluster, master=starter.start_master(port, ui_port)))
    logs = record.folder(settings) / "logs"
    missing = [n for n in range(cluster.wanted) if n not in cluster.workers or not cluster.workers[n].alive]
    for number in missing:
        progress(f"starting worker {number}")
        port = nodes.free_port(WORKER_PORT + number, taken)
        ui_port = nodes.free_port(UI_PORT + 1 + number, taken)
        node = starter.start_worker(number, cluster.address, cluster.cores, cluster.memory, port, ui_port)
        cluster = record.write(settings, replace(cluster, workers={**cluster.workers, number: node}))
    for number in missing:
        log = logs / f"worker-{number}.log"
        if not nodes.wait_for(lambda log=log: nodes.is_registered(log), REGISTRATION_SECONDS):  # type: ignore[misc]
            raise PenstockError(
                f"worker {number} registered with the master", nodes.failure_reason(log, None), f"read {log}"
            )
    return cluster


def _terminate(handles: list[psutil.Process | None], seconds: float = 20) -> None:
    """Terminate processes and their children. After some seconds, kill the processes that are still running."""
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
    """Stop the cluster's nodes and their executors. Return whether any node was running."""
    with _lock(settings):
        cluster = record.read(settings)
        was_running = bool(cluster and cluster.is_running)
        if cluster:
            _terminate([node.process.handle() for node in cluster.nodes])
        nodes.remove_state(settings)
        record.remove(settings)
        return was_running


def current(settings: Settings) -> Cluster | None:
    """Return the cluster if any of its nodes is running; otherwise None."""
    cluster = record.read(settings)
    return cluster if cluster and cluster.is_running else None
