"""The metastore of a server: a Derby folder, a PostgreSQL database that servers share, or a running metastore.

The database's user and password come from environment variables only. The JVM receives them through Py4J, so that they
appear in no file, log, message or process list.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from penstock.config import addresses
from penstock.config.addresses import DERBY, POSTGRESQL, THRIFT
from penstock.config.sections import Ports
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark import jars
from penstock.spark.java import Java
from penstock.spark.ports import LOOPBACK, NETWORK_SECONDS, answers
from penstock.storage import atomic

USER, PASSWORD = "PENSTOCK_METASTORE_USER", "PENSTOCK_METASTORE_PASSWORD"
DRIVER = "org.postgresql:postgresql:42.7.7"
OWNER_FILE = ".penstock-metastore.json"


@dataclass(frozen=True)
class Login:
    """The user and password of a database. `repr` doesn't show them."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def login(settings: Settings) -> Login | None:
    """Return the login of a PostgreSQL metastore from the environment; None for another metastore.

    Raises:
        PenstockError: an environment variable is not set.
    """
    if addresses.parse_metastore(settings.metastore).kind != POSTGRESQL:
        return None
    missing = [name for name in (USER, PASSWORD) if not os.environ.get(name)]
    if missing:
        raise PenstockError(
            f"user and password of {settings.metastore} in the environment",
            f"no {' and no '.join(missing)}",
            f"export {' and '.join(missing)}",
        )
    return Login(os.environ[USER], os.environ[PASSWORD])


def require_usable(settings: Settings) -> None:
    """Check that a server can start with the configured metastore.

    Raises:
        PenstockError: the database or metastore does not answer, the login is missing, or the warehouse belongs to
            another Derby metastore.
    """
    chosen = addresses.parse_metastore(settings.metastore)
    login(settings)
    if chosen.kind != DERBY and not answers(chosen.port, chosen.host, NETWORK_SECONDS):
        do = "start it, or correct `metastore` in penstock.yml"
        raise PenstockError(f"the metastore {chosen.text}", "no answer", do)
    warehouse = settings.warehouse_dir
    if chosen.kind == DERBY and isinstance(warehouse, Path):
        _claim_warehouse(settings, warehouse)


def _claim_warehouse(settings: Settings, warehouse: Path) -> None:
    """Write a file to the warehouse that names this Derby metastore as its owner.

    The file includes the warehouse's path. In a moved or copied warehouse the path differs, and the file is ignored.

    Raises:
        PenstockError: the warehouse belongs to another Derby metastore that still exists.
    """
    file = warehouse / OWNER_FILE
    owner = {"warehouse": str(warehouse), "metastore": str(settings.state_dir / "metastore_db")}
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        found = {}
    if found == owner:
        return
    other = found.get("metastore") if isinstance(found, dict) and found.get("warehouse") == owner["warehouse"] else None
    if other and Path(other).exists():
        raise PenstockError(
            f"a warehouse for the tables of target {settings.target or 'default'} alone",
            f"{warehouse} has those of another Derby metastore, {other}",
            "give the target a `warehouse` of its own, or both one metastore: `metastore: postgresql://host/database`",
            entry="two-targets-with-one-warehouse",
        )
    warehouse.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(owner))


def runs_own_metastore(settings: Settings) -> bool:
    """Return whether the server starts its own metastore process instead of using a running one."""
    return addresses.parse_metastore(settings.metastore).kind != THRIFT


def uri(settings: Settings, ports: Ports) -> str:
    """Return the Thrift URI of the metastore."""
    return f"thrift://{LOOPBACK}:{ports.metastore}" if runs_own_metastore(settings) else settings.metastore


def hive_site(settings: Settings, ports: Ports) -> dict[str, str]:
    """Return Hive's settings for the metastore: its database and its URI, without user and password."""
    chosen = addresses.parse_metastore(settings.metastore)
    if chosen.kind == THRIFT:
        return {"hive.metastore.uris": chosen.text}
    if chosen.kind == POSTGRESQL:
        url = f"jdbc:postgresql://{chosen.host}:{chosen.port}/{chosen.database}"
        driver = "org.postgresql.Driver"
    else:
        url = f"jdbc:derby:;databaseName={settings.state_dir / 'metastore_db'};create=true"
        driver = "org.apache.derby.jdbc.EmbeddedDriver"
    return {
        "javax.jdo.option.ConnectionURL": url,
        "javax.jdo.option.ConnectionDriverName": driver,
        "hive.metastore.uris": uri(settings, ports),
    }


def database_driver_jars(settings: Settings, java: Java) -> list[Path]:
    """Return the jars of the database's JDBC driver. Only the metastore has them on its class path.

    Raises:
        PenstockError: Ivy could not download the jars.
    """
    if addresses.parse_metastore(settings.metastore).kind != POSTGRESQL:
        return []
    return jars.resolve((DRIVER,), settings.shared_dir, java)
