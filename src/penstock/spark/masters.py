"""Check a Spark master before a driver starts: its URL is valid, it answers, and its executors can reach the driver.

Without this check, a driver whose master does not answer retries for a minute and ends with a stack trace.
"""

from __future__ import annotations

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import ports
from penstock.spark.ports import LOOPBACK

SCHEMES = ("spark://", "k8s://", "yarn")


def require_reachable(settings: Settings, master: str | None = None) -> None:
    """Check that a driver on this machine can use a master.

    Args:
        settings: the project's settings.
        master: the master's URL; by default the server's master.

    Raises:
        PenstockError: the URL is invalid, the master does not answer, or its executors could not reach the driver.
    """
    chosen = master or settings.server.master
    if addresses.is_local(chosen):
        return
    hosts = addresses.standalone_masters(chosen)
    if not chosen.startswith(SCHEMES) or (chosen.startswith("spark://") and not hosts):
        do = "write local[*], spark://host:port, k8s://https://host:port or yarn as server.master"
        raise PenstockError("a Spark master", repr(chosen), do)
    if hosts and not any(ports.answers(port, host, ports.NETWORK_SECONDS) for host, port in hosts):
        on_loopback = all(addresses.is_loopback(host) for host, _ in hosts)
        do = "type `penstock cluster up`" if on_loopback else "start it, or correct server.master"
        raise PenstockError(f"a master at {chosen}", "no answer", do, entry="the-master-doesnt-answer")
    is_remote = chosen.startswith("k8s://") or any(not addresses.is_loopback(host) for host, _ in hosts)
    driver = settings.server.spark_conf.get("spark.driver.host") or (
        LOOPBACK if settings.server.bind == LOOPBACK else ""
    )
    if is_remote and addresses.is_loopback(driver):
        raise PenstockError(
            f"a driver that the executors of {chosen} reach",
            f"a driver that listens on {driver} alone",
            "set server.bind: 0.0.0.0, behind a firewall, and spark.driver.host under server.spark_conf to this "
            "machine's address",
        )
