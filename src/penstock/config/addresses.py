"""Parse the addresses in settings: Spark masters and the Hive metastore."""

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
    """The Hive metastore of a server.

    Penstock starts a metastore that stores its tables in a database, or Spark connects to a running metastore.

    Attributes:
        kind: `derby` or `postgresql` for the database, or `thrift` for a running metastore.
        host: host of the database or metastore; empty for Derby.
        port: port of the database or metastore; 0 for Derby.
        database: name of the PostgreSQL database; empty for Derby and Thrift.
    """

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""

    @property
    def text(self) -> str:
        """Return the address as it is written in `penstock.yml`."""
        if self.kind == DERBY:
            return DERBY
        tail = f"/{self.database}" if self.database else ""
        return f"{self.kind}://{self.host}:{self.port}{tail}"


def parse_metastore(text: str) -> Metastore:
    """Parse the setting `metastore`.

    Raises:
        ValueError: the address is invalid, or contains a user or password. The message does not repeat the address.
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
            "it contains a user, a password or options; set user and password in the environment, as "
            "PENSTOCK_METASTORE_USER and PENSTOCK_METASTORE_PASSWORD"
        )
    database = parts.path.strip("/")
    is_complete = bool(host) and (re.fullmatch(r"\w+", database) if kind == POSTGRESQL else not database)
    if kind not in DEFAULT_PORTS or not is_complete:
        raise ValueError("needed: derby, postgresql://host:port/database or thrift://host:port")
    return Metastore(kind, str(host), port or DEFAULT_PORTS[kind], database)


def is_local(master: str) -> bool:
    """Return whether a Spark master runs all tasks in the driver, without executors."""
    return master == "local" or master.startswith("local[")


def standalone_masters(master: str) -> list[tuple[str, int]]:
    """Return the host and port of each master in an address such as `spark://a:7077,b:7077`.

    For the masters of other cluster managers, the list is empty.
    """
    if not master.startswith("spark://"):
        return []
    masters = []
    for part in master.removeprefix("spark://").split(","):
        host, _, port = part.rpartition(":")
        if host and port.isdecimal():
            masters.append((host, int(port)))
    return masters


def is_loopback(host: str) -> bool:
    """Return whether a host name or IP address is a loopback address."""
    if host in ("localhost", ""):
        return host == "localhost"
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
