"""The running server's record: which processes, which ports; and whether they live.

One JSON file in the state folder, readable by its owner only, since it holds the server's secret.
A process is known by id and start time, so that a reused id never passes for the server.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from penstock.config.sections import Ports
from penstock.config.settings import Settings
from penstock.process import Process
from penstock.spark.access import secret
from penstock.storage import private_files

# A server that is stopping is still whole, and takes nobody any more.
STARTING, READY, STOPPING = "starting", "ready", "stopping"


@dataclass(frozen=True)
class Record:
    """What is known of a started server.

    Attributes:
        state: `starting`, `ready` or `stopping`.
        supervisor, metastore, spark: its processes; the latter two None until started.
        ports: the ports it took.
        token: its secret: Thrift's password, Connect's token.
        settings: fingerprint of the settings it was started with.
        started_at: seconds since the epoch.
        ready_seconds: how long the start took; 0 until ready.
        ui_port: where Spark's own UI answers, which steps on by itself from a port that was taken; 0 without one.
        shared: whether it asks a metastore that isn't its own, so that it has no such process.
        executors: how many answered when it started; 0 with a local master.
        python: their version.
    """

    state: str
    supervisor: Process
    ports: Ports
    token: str
    settings: str
    started_at: float
    metastore: Process | None = None
    spark: Process | None = None
    ready_seconds: float = 0.0
    ui_port: int = 0
    shared: bool = False
    executors: int = 0
    python: str = ""

    @property
    def processes(self) -> list[Process]:
        """All processes that were started, the supervisor first."""
        return [p for p in (self.supervisor, self.spark, self.metastore) if p]

    @property
    def alive(self) -> bool:
        """Whether every process that belongs to its state lives."""
        if self.state == READY and not (self.spark and (self.metastore or self.shared)):
            return False
        return all(process.handle() for process in self.processes)

    def connect(self) -> Any:
        """A PyHive connection to its Thrift port, with its secret."""
        from pyhive import hive

        login = {"username": secret.USER, "password": self.token, "auth": "CUSTOM"}
        return hive.connect(host="127.0.0.1", port=self.ports.thrift, **login)

    @property
    def ui(self) -> str:
        """The address of Spark's own UI; empty when it has none."""
        return f"http://127.0.0.1:{self.ui_port}" if self.ui_port else ""

    @property
    def ui_link(self) -> str:
        """The same with the key that it asks for."""
        return secret.link(self.ui, self.token)


def path(settings: Settings) -> Path:
    """Where the record lies."""
    return settings.state_dir / "server.json"


def read(settings: Settings) -> Record | None:
    """The record as it stands; None when there is none or it can't be read."""
    try:
        data: dict[str, Any] = json.loads(path(settings).read_text())
        for key in ("supervisor", "metastore", "spark"):
            data[key] = Process(**data[key]) if data.get(key) else None
        return Record(**{**data, "ports": Ports(**data["ports"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(settings: Settings, record: Record, **changes: Any) -> Record:
    """Put a record, with some changes, in place of the one before, at one instant."""
    changed = replace(record, **changes)
    data = {**asdict(replace(changed, ports=Ports())), "ports": changed.ports.model_dump()}
    private_files.write(path(settings), json.dumps(data, indent=1))
    return changed


def remove(settings: Settings) -> None:
    """Forget the server."""
    path(settings).unlink(missing_ok=True)
