"""Spark's settings for the Iceberg catalogs of `server.catalogs`.

`spark_catalog` stays reserved for Delta: Iceberg's `SparkSessionCatalog` can't share this name with Delta's catalog.
Sources: https://iceberg.apache.org/docs/latest/spark-configuration/ and catalog-properties/ in the same folder.
"""

from __future__ import annotations

import os

from penstock.config import catalog_credentials
from penstock.config.sections import CatalogSettings
from penstock.config.settings import Settings
from penstock.spark.metastore import location
from penstock.storage import locations

EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
CATALOG = "org.apache.iceberg.spark.SparkCatalog"
# Spark hides the values of settings whose keys match this expression. Spark's default expression doesn't match all
# credentials of Iceberg, so this expression extends the default.
REDACTED = "(?i)secret|password|token|access[.-]?key|credential|authorization|jdbc[.]user|basic[.]username"
# How a rest catalog logs in with a credential.
LOGINS = {"credential": "oauth2", "token": "oauth2", "rest.auth.basic.username": "basic"}
RETRIES = "hadoop.hive.metastore.connect.retries"
NO_LOCK = "hadoop.iceberg.engine.hive.lock-enabled"


def spark_settings(settings: Settings, extensions: str) -> dict[str, str]:
    """Return Spark's settings for the catalogs; empty if there are none.

    Args:
        settings: the project's settings.
        extensions: the classes of `spark.sql.extensions` that come before Iceberg's.

    Raises:
        PenstockError: an option names an environment variable that is not set.
    """
    if not settings.server.catalogs:
        return {}
    conf = {"spark.sql.extensions": f"{extensions},{EXTENSIONS}", "spark.redaction.regex": REDACTED}
    for name, catalog in settings.server.catalogs.items():
        prefix = f"spark.sql.catalog.{name}"
        conf[prefix] = CATALOG
        conf |= {f"{prefix}.{key}": value for key, value in _properties(settings, name, catalog).items()}
    return conf


def _properties(settings: Settings, name: str, catalog: CatalogSettings) -> dict[str, str]:
    conf: dict[str, str] = {"type": catalog.type}
    if catalog.uri:
        conf["uri"] = catalog.uri
    if catalog.warehouse:
        conf["warehouse"] = _warehouse(settings, catalog.type, catalog.warehouse)
    # Each session has its own cache of tables. With this cache, a session would read the old version of a table for 30
    # seconds after another session has changed the table.
    conf["cache-enabled"] = "false"
    if catalog.type == "hive" and catalog.uri:
        conf[RETRIES] = "3"  # hive-site.xml has 120, so that the server can wait for its own metastore
    elif catalog.type == "hive" and location.runs_own_metastore(settings):
        conf[NO_LOCK] = "false"  # penstock's metastore has no tables for locks
    credentials = _credentials(name, catalog)
    if catalog.type == "rest" and (login := next((kind for key, kind in LOGINS.items() if key in credentials), "")):
        conf["rest.auth.type"] = login
    return {**conf, **catalog.options, **credentials}


def _warehouse(settings: Settings, kind: str, address: str) -> str:
    """Return a catalog's warehouse as a URI; for a rest catalog unchanged, because only its server knows the name."""
    return address if kind == "rest" or "://" in address else locations.uri(settings.root, address)


def _credentials(name: str, catalog: CatalogSettings) -> dict[str, str]:
    """Return a catalog's credentials. A rest catalog reads the environment itself, so it gets the variables' names."""
    variables = catalog_credentials.find_variables(name, catalog)
    if catalog.type == "rest":
        return {key: f"{catalog_credentials.ENVIRONMENT}{variable}" for key, variable in variables.items()}
    return {key: os.environ[variable] for key, variable in variables.items()}


def describe(catalog: CatalogSettings) -> str:
    """Return a catalog's type, address and warehouse in one line."""
    parts = (catalog.uri, f"warehouse {catalog.warehouse}" if catalog.warehouse else None)
    return f"Iceberg, {catalog.type}{''.join(f', {part}' for part in parts if part)}"
