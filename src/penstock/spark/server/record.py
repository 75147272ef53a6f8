"""The record of a server: a JSON file with the server's processes and ports.

The file is in the state folder. Only its owner can read it, because it contains the server's secret. The record
identifies a process by id and start time, because another process may later get the same id.
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

# While a server is stopping, its processes may still run, but new clients no longer use it.
STARTING, READY, STOPPING = "starting", "ready", "stopping"


@dataclass(frozen=True)
class Record:
    """A server that was started.

    Attributes:
        state: `starting`, `ready` or `stopping`.
        supervisor: the supervisor process, which started the JVMs.
        ports: the server's ports.
        token: the server's secret, which is Thrift's password and Connect's token.
        settings: the fingerprint of the settings with which the server was started.
        started_at: the start time, in seconds since the epoch.
        metastore: the metastore's process; None if it has not started or if `shared` is true.
        spark: Spark's process; None if it has not started.
        ready_seconds: the duration of the start; 0 until the server is ready.
        ui_port: the actual port of Spark's UI, which may differ from `ports.ui`; 0 without a UI.
        shared: whether the server uses a running metastore instead of starting one.
        executors: the number of executors that answered at the start; 0 with a local master.
        python: the Python version of the executors; empty with a local master.
        java: the version and folder of the Java that runs the server.
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
    java: str = ""

    @property
    def processes(self) -> list[Process]:
        """Return the processes that have started, the supervisor first."""
        return [p for p in (self.supervisor, self.spark, self.metastore) if p]

    @property
    def alive(self) -> bool:
        """Return whether every process that a server in this state needs is running."""
        if self.state == READY and not (self.spark and (self.metastore or self.shared)):
            return False
        return all(process.handle() for process in self.processes)

    def connect(self) -> Any:
        """Return a PyHive connection to the Thrift port."""
        from pyhive import hive

        login = {"username": secret.USER, "password": self.token, "auth": "CUSTOM"}
        return hive.connect(host="127.0.0.1", port=self.ports.thrift, **login)

    @property
    def ui(self) -> str:
        """Return the URL of Spark's UI; empty without a UI."""
        return f"http://127.0.0.1:{self.ui_port}" if self.ui_port else ""

    @property
    def ui_link(self) -> str:
        """Return the URL of Spark's UI with the access key; empty without a UI."""
        return secret.ui_link(self.ui, self.token)


def path(settings: Settings) -> Path:
    """Return the path of the record's file."""
    return settings.state_dir / "server.json"


def read(settings: Settings) -> Record | None:
    """Return the recorded server; None if the record is missing or damaged."""
    try:
        data: dict[str, Any] = json.loads(path(settings).read_text())
        for key in ("supervisor", "metastore", "spark"):
            data[key] = Process(**data[key]) if data.get(key) else None
        return Record(**{**data, "ports": Ports(**data["ports"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write(settings: Settings, record: Record, **changes: Any) -> Record:
    """Change attributes of a record, write it, and return it."""
    changed = replace(record, **changes)
    data = {**asdict(replace(changed, ports=Ports())), "ports": changed.ports.model_dump()}
    private_files.write(path(settings), json.dumps(data, indent=1))
    return changed


def remove(settings: Settings) -> None:
    """Remove the record."""
    path(settings).unlink(missing_ok=True)
