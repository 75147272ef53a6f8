"""What other users or machines can reach of a server because of its settings."""

from __future__ import annotations

from pathlib import Path

from penstock.config.settings import Settings
from penstock.spark.access import authentication, java_classes
from penstock.spark.metastore import location
from penstock.spark.ports import LOOPBACK

TLS = "spark.hadoop.hive.server2.use.SSL"
NO_LOGIN = ("NONE", "NOSASL")


def list_exposures(settings: Settings) -> list[str]:
    """Return one line for each part of a server that these settings leave open; none when all of it is protected."""
    conf = {**authentication.spark_settings(settings), **settings.server.spark_conf}
    on_network = settings.server.bind != LOOPBACK
    who = "whoever reaches this machine" if on_network else "any user of this machine"
    lines = []
    if conf.get(f"spark.hadoop.{authentication.AUTHENTICATION}", "CUSTOM").upper() in NO_LOGIN:
        lines.append(
            f"Thrift asks for no login: {who} runs SQL, and programs, as you ({authentication.AUTHENTICATION})"
        )
    if conf.get("spark.ui.enabled", "true") == "true" and java_classes.FILTER not in conf.get("spark.ui.filters", ""):
        lines.append(f"Spark's UI asks for no key: {who} reads statements there (spark.ui.filters)")
    if conf.get("spark.authenticate", "false") != "true":
        lines.append(f"Spark's own ports ask for no secret: {who} may send the driver messages (spark.authenticate)")
    if location.runs_own_metastore(settings) and not Path("/proc/net/tcp").exists():
        lines.append("the metastore serves any user of this machine: only Linux tells which user a connection is from")
    if on_network and conf.get(TLS, "false").lower() != "true":
        lines.append(
            f"listens on {settings.server.bind} without TLS: the secret, statements and rows can be read on the network"
        )
    return lines
