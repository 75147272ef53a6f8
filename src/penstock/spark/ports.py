"""Free loopback ports, starting from the preferred ones."""

from __future__ import annotations

import contextlib
import socket

import psutil

from penstock.config.sections import Ports
from penstock.errors import PenstockError

LOOPBACK = "127.0.0.1"
STEPS = 200


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of the loopback address or of all addresses."""
    for host in (LOOPBACK, "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return not answers(port)


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def is_served_by(port: int, pid: int) -> bool:
    """Whether that very process listens on a port: an answer alone may be another server's.

    Two servers that start at once can choose the same port, and only one of them gets it.
    """
    return port in served_by(pid)


def served_by(pid: int) -> set[int]:
    """The ports that a process listens on."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid).net_connections("tcp")
        return {c.laddr.port for c in found if c.status == psutil.CONN_LISTEN}
    return set()


def count_clients(pid: int, served: Ports) -> int:
    """Return the number of established connections to a server's Thrift and Connect ports."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return 0
    wanted = {served.thrift, served.connect}
    return sum(c.status == psutil.CONN_ESTABLISHED and c.laddr.port in wanted for c in connections)


def ui_of(pid: int, chosen: Ports) -> int:
    """Where Spark's UI went: its port, or one of the next 16 (spark.port.maxRetries); 0 when it is off."""
    served = served_by(pid) - {chosen.thrift, chosen.connect}
    return min((port for port in served if chosen.ui <= port <= chosen.ui + 16), default=0)


def choose(preferred: Ports, attempt: int = 0) -> Ports:
    """The preferred ports, each stepped on until it is free and not chosen for another.

    Args:
        preferred: the ports to begin at.
        attempt: how many starts failed before; every further one begins some ports later, past a
            port that someone took between the look and the start.

    Raises:
        PenstockError: none of 200 ports from a preferred one is free.
    """
    taken: dict[str, int] = {}
    for name, first in preferred:
        begin = first + 7 * attempt
        for port in range(begin, begin + STEPS):
            if port not in taken.values() and is_free(port):
                taken[name] = port
                break
        else:
            raise PenstockError(
                f"a free port for {name}", f"{begin} to {begin + STEPS - 1} are taken", "set server.ports"
            )
    return Ports(**taken)
