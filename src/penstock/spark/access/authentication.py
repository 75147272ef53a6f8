"""Settings of Hive and Spark with which a server authenticates its clients.

Thrift requires the server's secret as the password. The UI requires a key. The driver's RPC ports require a second
secret, which Spark generates or which the cluster's nodes share. https://spark.apache.org/docs/latest/security.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.spark.access import java_classes, secret
from penstock.spark.cluster import other_projects, record

# Part of the server's fingerprint. Increment it if a change in this module requires a restart of running servers.
GENERATION = 1
# The Java system property with the path of the secret's file.
SECRET_FILE = "penstock.secret.file"
AUTHENTICATION = "hive.server2.authentication"
# Hive's login check reads these settings from hive-site.xml. The Thrift server reads them from Spark's settings.
HIVE = {AUTHENTICATION: "CUSTOM", "hive.server2.custom.authentication.class": java_classes.AUTHENTICATOR}


def ui_settings(folder: Path) -> dict[str, str]:
    """Return Spark's settings that make the web UI require a key and remove its buttons that kill jobs.

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
    """Return Spark's settings that protect the RPC ports of a driver and its executors.

    Args:
        settings: the project's settings.
        master: the driver's master.

    Returns:
        The settings; empty if the master belongs to a cluster that no project of this user started with penstock.
    """
    if addresses.is_local(master):
        # Spark generates a secret that never leaves the process.
        return {"spark.authenticate": "true"}
    shared = cluster_secret(settings, master)
    return shared_secret_settings(shared) if shared else {}


def cluster_secret(settings: Settings, master: str) -> str:
    """Return the secret of the cluster with this master; empty if no project of this user started the cluster."""
    cluster = record.read(settings)
    if cluster and cluster.address.removeprefix("spark://") in master.removeprefix("spark://").split(","):
        return secret.read(record.folder(settings))
    folder = other_projects.find_folder(master)
    return secret.read(folder) if folder else ""


def shared_secret_settings(shared: str) -> dict[str, str]:
    """Return Spark's settings with which the nodes and applications of a cluster share one secret."""
    return {"spark.authenticate": "true", "spark.authenticate.secret": shared}


def driver_settings(conf: Mapping[str, str], settings: Settings, master: str) -> dict[str, str]:
    """Return the server's settings, adapted to a driver with another master.

    Args:
        conf: the server's settings.
        settings: the project's settings.
        master: the driver's master.
    """
    of_server = rpc_settings(settings, settings.server.master)
    kept = {key: value for key, value in conf.items() if of_server.get(key) != value}
    return {**rpc_settings(settings, master), **kept}


def has_custom_login(settings: Settings) -> bool:
    """Return whether `server.spark_conf` configures another login for Thrift. If so, profiles.yml needs that login."""
    return f"spark.hadoop.{AUTHENTICATION}" in settings.server.spark_conf
