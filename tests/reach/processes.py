"""Processes that a test starts, and ends by their ids."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(
    command: Sequence[str], log: Path, patience: float = 20, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block lasts, its output in a file; killed when it doesn't end in time.

    Args:
        patience: seconds that its end may take.
        options: of Popen.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A loopback port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_ports() -> dict[str, int]:
    """`server.ports` of a server whose tests run beside others', so that it needs one start."""
    return {name: free_port() for name in ("thrift", "connect", "ui", "metastore")}
