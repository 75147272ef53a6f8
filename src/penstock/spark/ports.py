"""Ports of this machine: which are free, which answer, and which process listens on them."""

from __future__ import annotations

import contextlib
import socket

import psutil

from penstock.config.sections import Ports
from penstock.errors import PenstockError

LOOPBACK = "127.0.0.1"
STEPS = 200
# Timeout for connections to other hosts.
NETWORK_SECONDS = 5.0
# Spark's default for spark.port.maxRetries.
UI_RETRIES = 16


def is_free(port: int) -> bool:
    """Return whether a port is free, on the loopback address and on all addresses."""
    for host in (LOOPBACK, "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return not answers(port)


def answers(port: int, host: str = LOOPBACK, timeout: float = 1) -> bool:
    """Return whether a port accepts connections.

    Args:
        port: the port.
        host: the host name or address. An IPv6 address may be in brackets.
        timeout: seconds to wait for the connection.
    """
    try:
        with socket.create_connection((host.strip("[]"), port), timeout=timeout):
            return True
    except OSError:
        return False


def is_served_by(port: int, pid: int) -> bool:
    """Return whether a process listens on a port.

    `answers` doesn't show which process listens: two servers that start at the same time can choose the same port.
    """
    return port in listening_ports(pid)


def listening_ports(pid: int) -> set[int]:
    """Return the ports on which a process listens."""
    with contextlib.suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections("tcp")
        return {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return set()


def count_clients(pid: int, served: Ports) -> int:
    """Return the number of established connections to a server's Thrift and Connect ports."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return 0
    wanted = {served.thrift, served.connect}
    return sum(c.status == psutil.CONN_ESTABLISHED and c.laddr.port in wanted for c in connections)


def ui_port(pid: int, chosen: Ports) -> int:
    """Return the port of Spark's UI; 0 if the UI is off. Spark uses the chosen port or one of the next 16."""
    candidates = listening_ports(pid) - {chosen.thrift, chosen.connect}
    return min((port for port in candidates if chosen.ui <= port <= chosen.ui + UI_RETRIES), default=0)


def choose(preferred: Ports, attempt: int = 0) -> Ports:
    """Return a free port for each service: the preferred port or the next free one.

    Args:
        preferred: the port of each service at which the search begins.
        attempt: the number of failed starts. Each failed start shifts the search, because another process may have
            taken a chosen port.

    Raises:
        PenstockError: all 200 ports tried for a service are taken.
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
                f"a free port for {name}",
                f"{begin} to {begin + STEPS - 1} are taken",
                "set server.ports",
                entry="no-free-port",
            )
    return Ports(**taken)
