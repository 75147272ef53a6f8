"""Processes and ports of the tests."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.spark import ports


@contextmanager
def running(
    command: Sequence[str], log: Path, patience: float = 20, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process inside the block, with its output in a file.

    Args:
        command: program and arguments.
        log: the file.
        patience: seconds that the process may take to end before it is killed.
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


def is_executor(command: Sequence[str], driver: int) -> bool:
    """Return whether a command line is that of an executor whose driver is the process with this id."""
    if "org.apache.spark.executor.CoarseGrainedExecutorBackend" not in command:
        return False
    address = command[list(command).index("--driver-url") + 1]
    return int(address.rpartition(":")[2]) in ports.listening_ports(driver)


def files(folder: Path) -> Iterator[Path]:
    """Return the files below a folder that other processes change at the same time."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if Path(place, name).is_file())


def content(path: Path) -> bytes:
    """Return the bytes of a file, or none if it was removed."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_ports() -> dict[str, int]:
    """Return `server.ports` of a server, all of them free."""
    return {name: free_port() for name in ("thrift", "connect", "ui", "metastore")}
