"""Which metastore a server has: Derby's folder, a PostgreSQL database that servers share, or one that runs already.

User and password of the database come from the environment alone. The JVM is given them through Py4J, so
that they stand in no file, log, message or list of processes.
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
from penstock.spark import jars, masters
from penstock.spark.java import Java
from penstock.spark.ports import LOOPBACK

USER, PASSWORD = "PENSTOCK_METASTORE_USER", "PENSTOCK_METASTORE_PASSWORD"
DRIVER = "org.postgresql:postgresql:42.7.7"
MARK = ".penstock-metastore.json"


@dataclass(frozen=True)
class Login:
    """A database's user and password; neither is shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def login(settings: Settings) -> Login | None:
    """What the environment says, when the metastore is a database with a login.

    Raises:
        PenstockError: a variable isn't set.
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


def require(settings: Settings) -> None:
    """Check what a start needs of the metastore.

    Raises:
        PenstockError: a database or metastore that doesn't answer, no login, or a warehouse of another Derby.
    """
    chosen = addresses.parse_metastore(settings.metastore)
    login(settings)
    if chosen.kind != DERBY and not masters.answers(chosen.host, chosen.port):
        do = "start it, or correct `metastore` in penstock.yml"
        raise PenstockError(f"the metastore {chosen.text}", "no answer", do)
    warehouse = settings.warehouse_dir
    if chosen.kind == DERBY and isinstance(warehouse, Path):
        _claim(settings, warehouse)


def _claim(settings: Settings, warehouse: Path) -> None:
    """Mark a warehouse as that of this Derby metastore, unless it is another's that is still there.

    A folder that was moved or copied isn't the one that its mark speaks of.
    """
    mark = warehouse / MARK
    own = {"warehouse": str(warehouse), "metastore": str(settings.state_dir / "metastore_db")}
    try:
        found = json.loads(mark.read_text())
    except (OSError, ValueError):
        found = {}
    if found == own:
        return
    other = found.get("metastore") if isinstance(found, dict) and found.get("warehouse") == own["warehouse"] else None
    if other and Path(other).exists():
        raise PenstockError(
            f"a warehouse for the tables of target {settings.target or 'default'} alone",
            f"{warehouse} has those of another Derby metastore, {other}",
            "give the target a `warehouse` of its own, or both one metastore: `metastore: postgresql://host/database`",
        )
    warehouse.mkdir(parents=True, exist_ok=True)
    aside = mark.with_suffix(f".{os.getpid()}.part")
    aside.write_text(json.dumps(own))
    aside.replace(mark)


def own(settings: Settings) -> bool:
    """Whether a metastore process of this server's own serves it."""
    return addresses.parse_metastore(settings.metastore).kind != THRIFT


def uri(settings: Settings, ports: Ports) -> str:
    """Where the metastore is asked."""
    return f"thrift://{LOOPBACK}:{ports.metastore}" if own(settings) else settings.metastore


def hive_site(settings: Settings, ports: Ports) -> dict[str, str]:
    """Hive's settings of the place where tables are kept; no user, no password."""
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


def driver_jars(settings: Settings, java: Java) -> list[Path]:
    """The database's driver, for the metastore's class path alone.

    Raises:
        PenstockError: it can't be had.
    """
    if addresses.parse_metastore(settings.metastore).kind != POSTGRESQL:
        return []
    return jars.resolve((DRIVER,), settings.shared_dir, java)
