"""What a server leaves open by its settings, a line for each thing."""

from __future__ import annotations

from pathlib import Path

from penstock.config.settings import Settings
from penstock.spark.access import authentication, java_classes
from penstock.spark.metastore import location
from penstock.spark.ports import LOOPBACK

TLS = "spark.hadoop.hive.server2.use.SSL"
NO_LOGIN = ("NONE", "NOSASL")


def of(settings: Settings) -> list[str]:
    """What others can reach or read of a server with these settings; empty when all of it is closed."""
    conf = {**authentication.spark(settings), **settings.server.spark_conf}
    anywhere = settings.server.bind != LOOPBACK
    who = "whoever reaches this machine" if anywhere else "any user of this machine"
    found = []
    if conf.get(f"spark.hadoop.{authentication.AUTHENTICATION}", "CUSTOM").upper() in NO_LOGIN:
        found.append(
            f"Thrift asks for no login: {who} runs SQL, and programs, as you ({authentication.AUTHENTICATION})"
        )
    if conf.get("spark.ui.enabled", "true") == "true" and java_classes.FILTER not in conf.get("spark.ui.filters", ""):
        found.append(f"Spark's UI asks for no key: {who} reads statements there (spark.ui.filters)")
    if conf.get("spark.authenticate", "false") != "true":
        found.append(f"Spark's own ports ask for no secret: {who} may send the driver messages (spark.authenticate)")
    if location.own(settings) and not Path("/proc/net/tcp").exists():
        found.append("the metastore serves any user of this machine: only on Linux it sees whose a connection is")
    if anywhere and conf.get(TLS, "false").lower() != "true":
        found.append(
            f"listens on {settings.server.bind} without TLS: the secret, statements and rows can be read on the network"
        )
    return found
