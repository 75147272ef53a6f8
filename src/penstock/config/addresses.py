"""Addresses in settings: Spark's master, the Hive metastore; taken apart, and refused when they can't be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

DERBY = "derby"
POSTGRESQL = "postgresql"
THRIFT = "thrift"
DEFAULT_PORTS = {POSTGRESQL: 5432, THRIFT: 9083}


@dataclass(frozen=True)
class Metastore:
    """Where the metastore keeps its tables, or which one is asked.

    Attributes:
        kind: `derby`, `postgresql` or `thrift`.
        host, port, database: empty or 0 where the kind has none.
    """

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""

    @property
    def text(self) -> str:
        """As the settings have it."""
        if self.kind == DERBY:
            return DERBY
        tail = f"/{self.database}" if self.database else ""
        return f"{self.kind}://{self.host}:{self.port}{tail}"


def metastore(text: str) -> Metastore:
    """The metastore that a setting names.

    Raises:
        ValueError: it names none, or holds a user or password. Those are not repeated in the message.
    """
    if text == DERBY:
        return Metastore(DERBY)
    try:
        parts = urlsplit(text)
        kind, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise ValueError("not an address") from None
    if "@" in text or parts.query or re.search(r"(?i)password|user=", text):
        raise ValueError(
            "a user or password, or options, stand in it; the first two belong in the environment, "
            "PENSTOCK_METASTORE_USER and PENSTOCK_METASTORE_PASSWORD"
        )
    database = parts.path.strip("/")
    whole = bool(host) and (re.fullmatch(r"\w+", database) if kind == POSTGRESQL else not database)
    if kind not in DEFAULT_PORTS or not whole:
        raise ValueError("needed: derby, postgresql://host:port/database or thrift://host:port")
    return Metastore(kind, str(host), port or DEFAULT_PORTS[kind], database)


def is_local(master: str) -> bool:
    """Whether a master runs the tasks inside the driver: there are no executors then."""
    return master == "local" or master.startswith("local[")


def standalone(master: str) -> list[tuple[str, int]]:
    """Hosts and ports of a standalone master and its stand-ins, `spark://a:7077,b:7077`; of any other, none."""
    if not master.startswith("spark://"):
        return []
    found = []
    for part in master.removeprefix("spark://").split(","):
        host, _, port = part.rpartition(":")
        if host and port.isdecimal():
            found.append((host, int(port)))
    return found


def is_loopback(host: str) -> bool:
    """Whether a host's name or number means this machine alone."""
    if host in ("localhost", ""):
        return host == "localhost"
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
