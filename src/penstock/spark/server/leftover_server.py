"""Find a server that a killed supervisor left behind, and end it."""

from __future__ import annotations

import contextlib

import psutil

from penstock.config.settings import Settings
from penstock.spark.server import record


def end(settings: Settings) -> bool:
    """End the processes of the recorded server, and remove the record. Return whether there was a record."""
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
