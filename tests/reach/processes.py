"""Processes that a test starts, and ends by their ids."""

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


def is_executor(words: Sequence[str], driver: int) -> bool:
    """Whether a command line is an executor's, whose driver listens in the process of that id."""
    if "org.apache.spark.executor.CoarseGrainedExecutorBackend" not in words:
        return False
    address = words[list(words).index("--driver-url") + 1]
    return int(address.rpartition(":")[2]) in ports.listening_ports(driver)


def files(folder: Path) -> Iterator[Path]:
    """The files below a folder in which others write and remove."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if Path(place, name).is_file())


def content(path: Path) -> bytes:
    """A file's bytes; none when it is gone by now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def free_port() -> int:
    """A loopback port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_ports() -> dict[str, int]:
    """`server.ports` of a server whose tests run beside others', so that it needs one start."""
    return {name: free_port() for name in ("thrift", "connect", "ui", "metastore")}
