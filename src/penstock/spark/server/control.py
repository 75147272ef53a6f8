"""Bring the server up, down, and say how it is: what the command line and the adapter call."""

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
    """One start or stop at a time, across processes."""
    close_state(settings)
    return FileLock(settings.state_dir / "server.lock")


def close_state(settings: Settings) -> None:
    """Make the state folders, readable by their owner only, unless the project itself is in one."""
    for folder in (settings.shared_dir, settings.state_dir):
        if settings.root.is_relative_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        else:
            private_files.folder(folder)


def current(settings: Settings) -> Record | None:
    """The server that is up and ready now; None when there is none. Starts and changes nothing."""
    found = record.read(settings)
    return found if found and found.state == READY and found.alive else None


def up(settings: Settings, say: Callable[[str], None] = lambda text: None) -> Record:
    """The running server, started when there is none. Two callers at once get the same one.

    Args:
        settings: the project's settings.
        say: told, in a few words, what takes time.

    Raises:
        PenstockError: no fitting Java, jars that can't be had, a master or metastore that doesn't answer, a target
            whose server is someone else's, or a server that did not start.
    """
    if running := current(settings):
        return running
    refuse_remote(settings)
    with _lock(settings):
        if running := current(settings):
            return running
        _clear(settings)
        masters.require(settings)
        location.require(settings)
        found = java.find(settings.server.java_home)
        say("resolving table-format jars (once)") if not (settings.shared_dir / "jars").exists() else None
        object_stores.require_jars(settings, jars.of_server(settings, found))
        location.driver_jars(settings, found)
        if settings.server.executors.packages:
            say("packing Python packages for the executors (once)")
            launch.prepare(settings)
        say("starting the Spark server")
        for attempt in range(ATTEMPTS):
            if started := _start(settings, attempt):
                return started
            error = start_failure.read(settings)
            if not start_failure.is_port_conflict(error):
                break
            say("a port was taken meanwhile; trying others")
        raise error


def is_remote(settings: Settings) -> bool:
    """Whether the target's server is someone else's: it names a `host` in profiles.yml."""
    return settings.target in profiles.read(settings.root).remote


def refuse_remote(settings: Settings) -> None:
    """Refuse to start a server for a target that names another's.

    Raises:
        PenstockError: the target has a `host` in profiles.yml.
    """
    if is_remote(settings):
        raise PenstockError(
            "a target whose server is this project's own",
            f"`{settings.target}`, which names a `host` in profiles.yml: that server is someone else's",
            "start it there, or choose another --target; dbt itself uses it as it is",
        )


def _start(settings: Settings, attempt: int) -> Record | None:
    """Start a supervisor and wait until its server is ready; None when it ended before."""
    start_failure.remove(settings)
    logs = private_files.folder(settings.state_dir / "logs")
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


def _clear(settings: Settings) -> bool:
    """End what is left of a server that is not whole, and forget it. Whether there was one."""
    left = record.read(settings)
    if left is None:
        record.remove(settings)
        return False
    handles = [handle for process in left.processes if (handle := process.handle())]
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
    """Stop the server with all its processes; whether there was one."""
    with _lock(settings):
        found = record.read(settings)
        supervisor = found.supervisor.handle() if found else None
        if found and supervisor:
            with contextlib.suppress(psutil.NoSuchProcess):
                supervisor.terminate()
            psutil.wait_procs([supervisor], timeout=90)
        left = _clear(settings)
        return bool(found) or left


def settings_changed(settings: Settings, running: Record) -> bool:
    """Whether penstock.yml now asks for another server than the one that runs."""
    return running.settings != configuration.fingerprint(settings, java.find(settings.server.java_home))


def log_folder(settings: Settings) -> Path:
    """Where the server's logs lie."""
    return settings.state_dir / "logs"
