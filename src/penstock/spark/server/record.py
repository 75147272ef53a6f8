"""The record of a running server: a JSON file with its processes and ports.

The file is in the state folder and only its owner can read it, because it contains the server's secret. A process is
identified by id and start time, so that another process with the same id is not mistaken for the server.
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

# A server that is stopping may still have all its processes, but accepts no new clients.
STARTING, READY, STOPPING = "starting", "ready", "stopping"


@dataclass(frozen=True)
class Record:
    """A started server.

    Attributes:
        state: `starting`, `ready` or `stopping`.
        supervisor: the process that started the others.
        ports: its ports.
        token: its secret, which is Thrift's password and Connect's token.
        settings: the fingerprint of the settings it was started with.
        started_at: seconds since the epoch.
        metastore: its metastore's process; None until started, or if it has none.
        spark: Spark's process; None until started.
        ready_seconds: how long the start took; 0 until ready.
        ui_port: the port of Spark's UI, which may differ from the chosen one; 0 without a UI.
        shared: whether it uses a running metastore and has no metastore process.
        executors: how many executors answered at the start; 0 with a local master.
        python: the Python version of the executors.
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
        """Return the processes that were started, the supervisor first."""
        return [p for p in (self.supervisor, self.spark, self.metastore) if p]

    @property
    def alive(self) -> bool:
        """Return whether all processes run that a server in this state has."""
        if self.state == READY and not (self.spark and (self.metastore or self.shared)):
            return False
        return all(process.handle() for process in self.processes)

    def connect(self) -> Any:
        """Return a PyHive connection to its Thrift port."""
        from pyhive import hive

        login = {"username": secret.USER, "password": self.token, "auth": "CUSTOM"}
        return hive.connect(host="127.0.0.1", port=self.ports.thrift, **login)

    @property
    def ui(self) -> str:
        """Return the address of Spark's UI; empty without a UI."""
        return f"http://127.0.0.1:{self.ui_port}" if self.ui_port else ""

    @property
    def ui_link(self) -> str:
        """Return the address of Spark's UI with its key; empty without a UI."""
        return secret.ui_link(self.ui, self.token)


def path(settings: Settings) -> Path:
    """Return the path of the record."""
    return settings.state_dir / "server.json"


def read(settings: Settings) -> Record | None:
    """Return the recorded server; None when there is no record or it is damaged."""
    try:
        data: dict[str, Any] = json.loads(path(settings).read_text())
        for key in ("supervisor", "metastore", "spark"):
            data[key] = Process(**data[key]) if data.get(key) else None
        return Record(**{**data, "ports": Ports(**data["ports"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(settings: Settings, record: Record, **changes: Any) -> Record:
    """Replace the record by one with changed attributes, and return it."""
    changed = replace(record, **changes)
    data = {**asdict(replace(changed, ports=Ports())), "ports": changed.ports.model_dump()}
    private_files.write(path(settings), json.dumps(data, indent=1))
    return changed


def remove(settings: Settings) -> None:
    """Remove the record."""
    path(settings).unlink(missing_ok=True)
