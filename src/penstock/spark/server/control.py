"""Start, find and stop the server, for the command line and the adapter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from filelock import FileLock

from penstock.config import profiles
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import jars, java, masters, object_stores
from penstock.spark.executors import launch
from penstock.spark.metastore import location
from penstock.spark.server import configuration, leftover_server, record, start_failure
from penstock.spark.server.record import READY, Record
from penstock.storage import private_files

ATTEMPTS = 3


def _lock(settings: Settings) -> FileLock:
    """Return the lock that a process holds while it starts or stops the server."""
    make_state_folders(settings)
    return FileLock(settings.state_dir / "server.lock")


def make_state_folders(settings: Settings) -> None:
    """Create the state folders. Only their owner can read them, except a folder that contains the project itself."""
    for folder in (settings.shared_dir, settings.state_dir):
        if settings.root.is_relative_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        else:
            private_files.make_folder(folder)


def current(settings: Settings) -> Record | None:
    """Return the running server; None if no server is ready."""
    server = record.read(settings)
    return server if server and server.state == READY and server.alive else None


def up(settings: Settings, progress: Callable[[str], None] = lambda text: None) -> Record:
    """Return the running server; start it if there is none. Concurrent callers get the same server.

    Args:
        settings: the project's settings.
        progress: called with a short text before each slow step.

    Raises:
        PenstockError: Java or a jar is missing, the master or the metastore does not answer, the target's server is
            remote, or the server failed to start.
    """
    if running := current(settings):
        return running
    refuse_remote(settings)
    with _lock(settings):
        if running := current(settings):
            return running
        leftover_server.end(settings)
        masters.require_reachable(settings)
        location.require_usable(settings)
        java_found = java.find(settings.server.java_home)
        if not (settings.shared_dir / "jars").exists():
            progress("resolving table-format jars (once)")
        object_stores.require_jars(settings, jars.server_jars(settings, java_found))
        location.database_driver_jars(settings, java_found)
        if settings.server.executors.packages:
            progress("packing Python packages for the executors (once)")
            launch.pack_packages(settings)
        progress("starting the Spark server")
        for attempt in range(ATTEMPTS):
            if started := _start(settings, attempt):
                return started
            error = start_failure.read(settings)
            if not start_failure.is_port_conflict(error):
                break
            progress("another process took a port; trying others")
        raise error


def is_remote(settings: Settings) -> bool:
    """Return whether the target's server is remote: the target has a `host` or `connect_url` in profiles.yml."""
    return settings.target in profiles.read(settings.root).remote


def refuse_remote(settings: Settings) -> None:
    """Check that the target's server is not remote.

    Raises:
        PenstockError: the target names a server in profiles.yml.
    """
    if is_remote(settings):
        raise PenstockError(
            "a target whose server this project runs",
            f"`{settings.target}`, which names a `host` or `connect_url` in profiles.yml: someone else runs the server",
            "start it there, or choose another --target; dbt uses that server as it is",
        )


def _start(settings: Settings, attempt: int) -> Record | None:
    """Start a supervisor, wait until its server is ready, and return the server; None if the supervisor exits."""
    start_failure.remove(settings)
    logs = private_files.make_folder(settings.state_dir / "logs")
    command = [sys.executable, "-m", "penstock.spark.server.supervisor", "--root", str(settings.root)]
    command += ["--target", settings.target] if settings.target else []
    with (logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--attempt", str(attempt)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=settings.root,
        )
    while process.poll() is None:
        if running := current(settings):
            return running
        time.sleep(0.05)
    return None


def down(settings: Settings) -> bool:
    """Stop all processes of the server. Return whether there was a server."""
    with _lock(settings):
        server = record.read(settings)
        supervisor = server.supervisor.handle() if server else None
        if supervisor:
            with contextlib.suppress(psutil.NoSuchProcess):
                supervisor.terminate()
            psutil.wait_procs([supervisor], timeout=90)
        return leftover_server.end(settings) or bool(server)


def settings_changed(settings: Settings, running: Record) -> bool:
    """Return whether penstock.yml has changed since the server was started."""
    return running.settings != configuration.fingerprint(settings, java.find(settings.server.java_home))


def log_folder(settings: Settings) -> Path:
    """Return the folder of the server's logs."""
    return settings.state_dir / "logs"
