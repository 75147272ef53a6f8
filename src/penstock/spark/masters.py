"""The master of settings and models: known, reachable, and able to reach back, before a driver is started.

A driver whose master doesn't answer tries for a minute and ends with a stack trace.
"""

from __future__ import annotations

import socket

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.ports import LOOPBACK

KINDS = ("spark://", "k8s://", "yarn")
PATIENCE = 5.0


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host.strip("[]"), port), timeout=PATIENCE):
            return True
    except OSError:
        return False


def require(settings: Settings, master: str | None = None) -> None:
    """Check a master: the server's, or a model's own.

    Raises:
        PenstockError: it isn't one, doesn't answer, or its executors couldn't reach a driver here.
    """
    wanted = master or settings.server.master
    if addresses.is_local(wanted):
        return
    hosts = addresses.standalone_masters(wanted)
    if not wanted.startswith(KINDS) or (wanted.startswith("spark://") and not hosts):
        do = "write local[*], spark://host:port, k8s://https://host:port or yarn as server.master"
        raise PenstockError("a Spark master", repr(wanted), do)
    if hosts and not any(answers(*place) for place in hosts):
        here = all(addresses.is_loopback(host) for host, _ in hosts)
        do = "type `penstock cluster up`" if here else "start it, or correct server.master"
        raise PenstockError(f"a master at {wanted}", "no answer", do)
    elsewhere = wanted.startswith("k8s://") or any(not addresses.is_loopback(host) for host, _ in hosts)
    driver = settings.server.spark_conf.get("spark.driver.host") or (
        LOOPBACK if settings.server.bind == LOOPBACK else ""
    )
    if elsewhere and addresses.is_loopback(driver):
        raise PenstockError(
            f"a driver that the executors of {wanted} reach",
            f"one that listens on {driver} alone",
            "set server.bind: 0.0.0.0, behind a firewall, and spark.driver.host under server.spark_conf to this "
            "machine's address",
        )
