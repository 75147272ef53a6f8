"""The record of a running cluster: a JSON file with its processes, their ports, and the size of its workers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process import Process
from penstock.spark.access import secret
from penstock.spark.ports import LOOPBACK
from penstock.storage import private_files

FOLDER = "cluster-nodes"


@dataclass(frozen=True)
class Node:
    """A master or a worker.

    Attributes:
        process: its JVM.
        port: its port for Spark's RPC.
        ui_port: the port of its web pages.
    """

    process: Process
    port: int
    ui_port: int

    @property
    def alive(self) -> bool:
        """Return whether its JVM runs."""
        return self.process.handle() is not None

    @property
    def ui(self) -> str:
        """Return the address of its web pages."""
        return f"http://{LOOPBACK}:{self.ui_port}"


@dataclass(frozen=True)
class Cluster:
    """A cluster.

    Attributes:
        master: its master; None until it has started.
        workers: its workers by number, from 0.
        wanted: the requested number of workers.
        cores: cores of each worker.
        memory: memory of each worker, as in `1g`.
    """

    master: Node | None
    workers: dict[int, Node]
    wanted: int
    cores: int
    memory: str

    @property
    def address(self) -> str:
        """Return the master's address, as `server.master` takes it; empty without a master."""
        return f"spark://{LOOPBACK}:{self.master.port}" if self.master else ""

    @property
    def nodes(self) -> list[Node]:
        """Return all nodes that were started, workers first."""
        return [*self.workers.values(), *([self.master] if self.master else [])]

    @property
    def dead(self) -> list[str]:
        """Return the names of the nodes that should run and do not."""
        names = [] if self.master and self.master.alive else ["master"]
        numbers = range(self.wanted)
        return names + [f"worker {n}" for n in numbers if n not in self.workers or not self.workers[n].alive]

    @property
    def is_running(self) -> bool:
        """Return whether any of its nodes runs."""
        return any(node.alive for node in self.nodes)


def folder(settings: Settings) -> Path:
    """Return the cluster's folder, which all targets of a project share."""
    return settings.shared_dir / FOLDER


def secret_for_master(settings: Settings, master: str) -> str:
    """Return the secret of the cluster with this master; empty when it is not this project's cluster."""
    cluster = read(settings)
    is_own = cluster and cluster.address.removeprefix("spark://") in master.removeprefix("spark://").split(",")
    return secret.read(folder(settings)) if is_own else ""


def read(settings: Settings) -> Cluster | None:
    """Return the recorded cluster; None when there is no record or it is damaged."""

    def node(data: dict[str, Any]) -> Node:
        return Node(Process(**data["process"]), data["port"], data["ui_port"])

    try:
        data = json.loads((folder(settings) / "cluster.json").read_text())
        workers = {int(number): node(item) for number, item in data["workers"].items()}
        master = node(data["master"]) if data["master"] else None
        return Cluster(master, workers, data["wanted"], data["cores"], data["memory"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(settings: Settings, cluster: Cluster) -> Cluster:
    """Replace the record, and return the cluster."""
    private_files.write(folder(settings) / "cluster.json", json.dumps(asdict(cluster), indent=1))
    return cluster


def remove(settings: Settings) -> None:
    """Remove the record."""
    (folder(settings) / "cluster.json").unlink(missing_ok=True)
