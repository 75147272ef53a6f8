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
from penstock.spark.server import configuration, record, start_failure
from penstock.spark.server.record import READY, Record
from penstock.storage import private_files

ATTEMPTS = 3


def _lock(settings: Settings) -> FileLock:
    """Return the lock under which one process at a time starts or stops the server."""
    make_state_folders(settings)
    return FileLock(settings.state_dir / "server.lock")


def make_state_folders(settings: Settings) -> None:
    """Create the state folders, readable by their owner only, unless the project itself is in one."""
    for folder in (settings.shared_dir, settings.state_dir):
        if settings.root.is_relative_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        else:
            private_files.make_folder(folder)


def current(settings: Settings) -> Record | None:
    """Return the server if it is ready, else None; start and change nothing."""
    server = record.read(settings)
    return server if server and server.state == READY and server.alive else None


def up(settings: Settings, progress: Callable[[str], None] = lambda text: None) -> Record:
    """Return the running server; start it if there is none. Callers at the same time get the same server.

    Args:
        settings: the project's settings.
        progress: called with a short text before each slow step.

    Raises:
        PenstockError: Java or jars are missing, the master or metastore does not answer, someone else runs the
            target's server, or the server failed to start.
    """
    if running := current(settings):
        return running
    refuse_remote(settings)
    with _lock(settings):
        if running := current(settings):
            return running
        _end_leftover_server(settings)
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
    """Return whether someone else runs the target's server: the target has a `host` in profiles.yml."""
    return settings.target in profiles.read(settings.root).remote


def refuse_remote(settings: Settings) -> None:
    """Raise an error if someone else runs the target's server.

    Raises:
        PenstockError: the target has a `host` in profiles.yml.
    """
    if is_remote(settings):
        raise PenstockError(
            "a target whose server this project runs",
            f"`{settings.target}`, which names a `host` in profiles.yml: someone else runs that server",
            "start it there, or choose another --target; dbt uses that server as it is",
        )


def _start(settings: Settings, attempt: int) -> Record | None:
    """Start a supervisor and return its server once that is ready; None when the supervisor ended before."""
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


def _end_leftover_server(settings: Settings) -> bool:
    """End the remaining processes of a recorded server and remove its record; return whether there was a record."""
    server = record.read(settings)
    if server is None:
        record.remove(settings)
        return False
    handles = [handle for process in server.processes if (handle := process.handle())]
    for handle in handles:
        with contextlib.suppress(psutil.NoSuchProcess):
            handle.terminate()
    _, alive = psutil.wait_procs(handles, timeout=60)
    for handle in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            handle.kill()
    psutil.wait_procs(alive, timeout=10)
    record.remove(settings)
    return True


def down(settings: Settings) -> bool:
    """Stop the server with all its processes; return whether there was one."""
    with _lock(settings):
        server = record.read(settings)
        supervisor = server.supervisor.handle() if server else None
        if supervisor:
            with contextlib.suppress(psutil.NoSuchProcess):
                supervisor.terminate()
            psutil.wait_procs([supervisor], timeout=90)
        return _end_leftover_server(settings) or bool(server)


def settings_changed(settings: Settings, running: Record) -> bool:
    """Return whether penstock.yml has changed since the server was started."""
    return running.settings != configuration.fingerprint(settings, java.find(settings.server.java_home))


def log_folder(settings: Settings) -> Path:
    """Return the folder of the server's logs."""
    return settings.state_dir / "logs"
