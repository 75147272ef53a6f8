"""The cluster's record: which processes, which ports, what each worker offers.

One JSON file in the cluster's folder. Processes are known as the server's are, by id and start time.
"""

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
        port, ui_port: where it takes Spark's own messages, and where its pages are.
    """

    process: Process
    port: int
    ui_port: int

    @property
    def alive(self) -> bool:
        """Whether its JVM lives."""
        return self.process.handle() is not None

    @property
    def ui(self) -> str:
        """The address of its pages."""
        return f"http://{LOOPBACK}:{self.ui_port}"


@dataclass(frozen=True)
class Cluster:
    """What is known of a started cluster.

    Attributes:
        master: its master; None until it was started.
        workers: by number, from 0.
        wanted: how many workers there shall be.
        cores, memory: what each worker offers, as in 1 and `1g`.
    """

    master: Node | None
    workers: dict[int, Node]
    wanted: int
    cores: int
    memory: str

    @property
    def address(self) -> str:
        """The master's, as a target takes it."""
        return f"spark://{LOOPBACK}:{self.master.port}" if self.master else ""

    @property
    def nodes(self) -> list[Node]:
        """Every process that was started, the workers first."""
        return [*self.workers.values(), *([self.master] if self.master else [])]

    @property
    def dead(self) -> list[str]:
        """The names of the processes that shall live and don't."""
        names = [] if self.master and self.master.alive else ["master"]
        numbers = range(self.wanted)
        return names + [f"worker {n}" for n in numbers if n not in self.workers or not self.workers[n].alive]

    @property
    def started(self) -> bool:
        """Whether any of its processes lives."""
        return any(node.alive for node in self.nodes)


def folder(settings: Settings) -> Path:
    """The cluster's folder: one for all targets of a project."""
    return settings.shared_dir / FOLDER


def secret_of(settings: Settings, master: str) -> str:
    """The secret that the nodes at a master's address ask for; empty when they aren't this project's cluster."""
    found = read(settings)
    ours = found and found.address.removeprefix("spark://") in master.removeprefix("spark://").split(",")
    return secret.read(folder(settings)) if ours else ""


def read(settings: Settings) -> Cluster | None:
    """The record as it stands; None when there is none or it can't be read."""

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
    """Put a record in place of the one before, at one instant."""
    private_files.write(folder(settings) / "cluster.json", json.dumps(asdict(cluster), indent=1))
    return cluster


def remove(settings: Settings) -> None:
    """Forget the cluster."""
    (folder(settings) / "cluster.json").unlink(missing_ok=True)
