"""The record of a cluster: a JSON file with its processes, their ports, and the size of its workers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process import Process
from penstock.spark.ports import LOOPBACK
from penstock.storage import private_files

FOLDER = "cluster-nodes"


@dataclass(frozen=True)
class Node:
    """A master or a worker.

    Attributes:
        process: the process of the node's JVM.
        port: the RPC port.
        ui_port: the port of the web UI.
    """

    process: Process
    port: int
    ui_port: int

    @property
    def alive(self) -> bool:
        """Return whether the node's JVM is running."""
        return self.process.handle() is not None

    @property
    def ui(self) -> str:
        """Return the URL of the web UI."""
        return f"http://{LOOPBACK}:{self.ui_port}"


@dataclass(frozen=True)
class Cluster:
    """A standalone cluster.

    Attributes:
        master: the master; None until it has started.
        workers: the workers by number, from 0.
        wanted: the requested number of workers.
        cores: the number of cores of each worker.
        memory: the memory of each worker, for example `1g`.
    """

    master: Node | None
    workers: dict[int, Node]
    wanted: int
    cores: int
    memory: str

    @property
    def address(self) -> str:
        """Return the master's URL for `server.master`; empty without a master."""
        return f"spark://{LOOPBACK}:{self.master.port}" if self.master else ""

    @property
    def nodes(self) -> list[Node]:
        """Return all nodes that have been started, workers first."""
        return [*self.workers.values(), *([self.master] if self.master else [])]

    @property
    def dead(self) -> list[str]:
        """Return the names of the nodes that should be running but aren't."""
        names = [] if self.master and self.master.alive else ["master"]
        numbers = range(self.wanted)
        return names + [f"worker {n}" for n in numbers if n not in self.workers or not self.workers[n].alive]

    @property
    def is_running(self) -> bool:
        """Return whether any node is running."""
        return any(node.alive for node in self.nodes)


def folder(settings: Settings) -> Path:
    """Return the cluster's folder, which all targets of a project share."""
    return settings.shared_dir / FOLDER


def read(settings: Settings) -> Cluster | None:
    """Return the project's recorded cluster; None if the record is missing or damaged."""
    return read_folder(folder(settings))


def read_folder(cluster_folder: Path) -> Cluster | None:
    """Return the cluster that is recorded in a cluster's folder; None if the record is missing or damaged."""

    def node(data: dict[str, Any]) -> Node:
        return Node(Process(**data["process"]), data["port"], data["ui_port"])

    try:
        data = json.loads((cluster_folder / "cluster.json").read_text())
        workers = {int(number): node(item) for number, item in data["workers"].items()}
        master = node(data["master"]) if data["master"] else None
        return Cluster(master, workers, data["wanted"], data["cores"], data["memory"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(settings: Settings, cluster: Cluster) -> Cluster:
    """Write the record of a cluster, and return the cluster."""
    private_files.write(folder(settings) / "cluster.json", json.dumps(asdict(cluster), indent=1))
    return cluster


def remove(settings: Settings) -> None:
    """Remove the record."""
    (folder(settings) / "cluster.json").unlink(missing_ok=True)
