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
    """The database that the metastore uses, or the running metastore that Spark connects to.

    Attributes:
        kind: `derby`, `postgresql` or `thrift`.
        host, port, database: empty or 0 if the kind has none.
    """

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""

    @property
    def text(self) -> str:
        """Return the address in the form of the settings."""
        if self.kind == DERBY:
            return DERBY
        tail = f"/{self.database}" if self.database else ""
        return f"{self.kind}://{self.host}:{self.port}{tail}"


def parse_metastore(text: str) -> Metastore:
    """Return the metastore that a setting names.

    Raises:
        ValueError: the address is not valid, or it contains a user or password, which the message omits.
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
    """Return whether a master runs all tasks in the driver, without executors."""
    return master == "local" or master.startswith("local[")


def standalone_masters(master: str) -> list[tuple[str, int]]:
    """Return the host and port of each master in `spark://a:7077,b:7077`; none for other cluster managers."""
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
