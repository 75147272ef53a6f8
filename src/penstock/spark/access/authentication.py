"""Settings of Hive and Spark by which a server authenticates its clients.

Thrift checks the server's secret as a password, the UI checks a key, and the driver's RPC ports check a secret that
Spark generates. https://spark.apache.org/docs/latest/security.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.spark.access import java_classes, secret
from penstock.spark.cluster import record

# Part of the settings' fingerprint. Increment it when a change here requires a restart of running servers.
GENERATION = 1
# The system property with the path of the secret's file.
SECRET_FILE = "penstock.secret.file"
AUTHENTICATION = "hive.server2.authentication"
# In hive-site.xml for the login check, and in Spark's settings for the server.
HIVE = {AUTHENTICATION: "CUSTOM", "hive.server2.custom.authentication.class": java_classes.AUTHENTICATOR}


def ui_settings(folder: Path) -> dict[str, str]:
    """Return Spark's settings of web pages that require a key and cannot kill a job.

    Args:
        folder: the folder with the key's file.
    """
    return {
        "spark.ui.killEnabled": "false",
        "spark.ui.filters": java_classes.FILTER,
        f"spark.{java_classes.FILTER}.param.file": str(folder / secret.KEY_FILE),
    }


def spark_settings(settings: Settings) -> dict[str, str]:
    """Return Spark's settings that protect the UI and the RPC ports of the server's driver."""
    return {**ui_settings(settings.state_dir), **rpc_settings(settings, settings.server.master)}


def rpc_settings(settings: Settings, master: str) -> dict[str, str]:
    """Return Spark's settings that protect the ports between a driver and its executors.

    Args:
        settings: the project's settings.
        master: the driver's master. Nothing is known of a cluster that someone else runs, so the result is empty.
    """
    if addresses.is_local(master):
        # Spark generates a secret that never leaves the process.
        return {"spark.authenticate": "true"}
    shared = record.secret_for_master(settings, master)
    return shared_secret_settings(shared) if shared else {}


def shared_secret_settings(shared: str) -> dict[str, str]:
    """Return Spark's settings of the nodes and applications of a cluster, which share one secret."""
    return {"spark.authenticate": "true", "spark.authenticate.secret": shared}


def driver_settings(conf: Mapping[str, str], settings: Settings, master: str) -> dict[str, str]:
    """Return the server's settings adapted to a driver that has another master."""
    of_server = rpc_settings(settings, settings.server.master)
    kept = {key: value for key, value in conf.items() if of_server.get(key) != value}
    return {**rpc_settings(settings, master), **kept}


def has_custom_login(settings: Settings) -> bool:
    """Return whether `server.spark_conf` configures another login for Thrift, which profiles.yml must contain."""
    return f"spark.hadoop.{AUTHENTICATION}" in settings.server.spark_conf
