"""The configurations under test: the columns of the report, and everything in which they differ.

`PENSTOCK_CONFORMANCE` selects one of them:

* `delta`: penstock over Thrift, with Delta tables. The default.
* `connect`: penstock over Spark Connect, with Delta tables.
* `iceberg`: penstock over Thrift, with Iceberg tables in a REST catalog.
* `dbt-spark`: stock dbt-spark against the same server, with Delta tables.
"""

from __future__ import annotations

import getpass
import os
from typing import Any

from penstock.spark.ports import LOOPBACK
from penstock.spark.server.record import Record

COLUMNS = ("dbt-spark", "delta", "connect", "iceberg")
COLUMN = os.environ.get("PENSTOCK_CONFORMANCE", "delta")
if COLUMN not in COLUMNS:
    raise SystemExit(f"needed: PENSTOCK_CONFORMANCE with one of {', '.join(COLUMNS)}. found: {COLUMN}. do: correct it")
IS_PENSTOCK = COLUMN != "dbt-spark"
CATALOG = "ice"
# The format of tables that a test creates by its own SQL.
TABLE_FORMAT = "iceberg" if COLUMN == "iceberg" else "delta"
# The format in the tests of models that overwrite partitions.
PARTITIONED_FORMAT = "iceberg" if COLUMN == "iceberg" else "parquet"
THREADS = 4
# The owner of a table in Spark: the user of the Thrift session that created it, or the server's user over Connect.
OWNER = {"dbt-spark": "dbt", "connect": getpass.getuser()}.get(COLUMN, "penstock")


def target(server: Record) -> dict[str, Any]:
    """Return the profile's target. penstock finds the server by itself; dbt-spark needs host and port."""
    if IS_PENSTOCK:
        method = "connect" if COLUMN == "connect" else "thrift"
        database = {"database": CATALOG} if COLUMN == "iceberg" else {}
        # Other tests cover captured plans; an EXPLAIN for each of a thousand models adds nothing here.
        return {"type": "penstock", "method": method, "threads": THREADS, "keep_plans": False, **database}
    return {
        "type": "spark",
        "method": "thrift",
        "host": LOOPBACK,
        "port": server.ports.thrift,
        "user": OWNER,
        "auth": "CUSTOM",
        "password": server.token,
        "threads": THREADS,
        # dbt-spark would sleep for five seconds between two polls of a statement.
        "poll_interval": 0,
    }


def delta(*kinds: str, **config: Any) -> dict[str, Any]:
    """A `project_config_update` whose nodes of these kinds are Delta tables.

    Penstock's default is the format of the catalog, and needs no configuration.

    Args:
        kinds: keys of dbt_project.yml: `models`, `seeds`, `snapshots`, `tests`.
        config: the rest of the update.
    """
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    if not IS_PENSTOCK:
        for kind in kinds:
            merged.setdefault(kind, {})["+file_format"] = "delta"
    return merged
