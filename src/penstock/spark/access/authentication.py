"""What a server asks of those who connect to it, as settings of Hive and Spark.

Thrift asks for the secret as a password, the UI for a key, the driver's own ports for a secret that Spark makes up.
https://spark.apache.org/docs/latest/security.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.spark.access import java_classes, secret
from penstock.spark.cluster import record

# Part of the settings' fingerprint. Raise it when a running server must be restarted to ask for a login.
GENERATION = 1
# The system property that names the file of the secret.
SECRET_FILE = "penstock.secret.file"
AUTHENTICATION = "hive.server2.authentication"
# The login check reads hive-site.xml, and the server its own settings: both have them.
HIVE = {AUTHENTICATION: "CUSTOM", "hive.server2.custom.authentication.class": java_classes.AUTHENTICATOR}


def ui(folder: Path) -> dict[str, str]:
    """Spark's settings of pages that ask for the key in a folder; none of them ends a job.

    Args:
        folder: where the secret is kept.
    """
    return {
        "spark.ui.killEnabled": "false",
        "spark.ui.filters": java_classes.FILTER,
        f"spark.{java_classes.FILTER}.param.file": str(folder / secret.KEY_FILE),
    }


def spark(settings: Settings) -> dict[str, str]:
    """Spark's settings of a driver: who may see its pages, and who may send it messages."""
    return {**ui(settings.state_dir), **messages(settings, settings.server.master)}


def messages(settings: Settings, master: str) -> dict[str, str]:
    """Spark's settings of the ports on which a driver with this master and its executors talk; none are known for a
    cluster that someone else runs.
    """
    if addresses.is_local(master):
        # Spark makes up a secret that never leaves the process.
        return {"spark.authenticate": "true"}
    shared = record.secret_of(settings, master)
    return nodes(shared) if shared else {}


def nodes(shared: str) -> dict[str, str]:
    """Spark's settings of a cluster's nodes and applications, which know one secret."""
    return {"spark.authenticate": "true", "spark.authenticate.secret": shared}


def of_driver(conf: Mapping[str, str], settings: Settings, master: str) -> dict[str, str]:
    """A server's settings for a driver beside it that has a master of its own."""
    ours = messages(settings, settings.server.master)
    kept = {key: value for key, value in conf.items() if ours.get(key) != value}
    return {**messages(settings, master), **kept}


def by_profile(settings: Settings) -> bool:
    """Whether the settings have Thrift ask for another login than the secret: the profile has to know it."""
    return f"spark.hadoop.{AUTHENTICATION}" in settings.server.spark_conf
