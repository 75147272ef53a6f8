"""The adapter under test, and everything in which the two columns of the report differ.

`PENSTOCK_CONFORMANCE_ADAPTER=spark` runs stock dbt-spark against the same server, for the baseline.
`PENSTOCK_CONFORMANCE_METHOD=connect` runs penstock's SQL over Spark Connect instead of Thrift.
"""

from __future__ import annotations

import getpass
import os
from typing import Any

from penstock.spark.ports import LOOPBACK
from penstock.spark.server.record import Record

ADAPTER = os.environ.get("PENSTOCK_CONFORMANCE_ADAPTER", "penstock")
if ADAPTER not in ("penstock", "spark"):
    raise SystemExit(f"needed: PENSTOCK_CONFORMANCE_ADAPTER penstock or spark. found: {ADAPTER}. do: correct it")
METHOD = os.environ.get("PENSTOCK_CONFORMANCE_METHOD", "thrift")
if METHOD not in ("thrift", "connect") or (METHOD == "connect" and ADAPTER == "spark"):
    found = f"{METHOD} with the adapter {ADAPTER}"
    raise SystemExit(
        f"needed: PENSTOCK_CONFORMANCE_METHOD thrift, or connect with penstock. found: {found}. do: correct"
    )
THREADS = 4
# The owner of a table in Spark: the user of the Thrift session that created it, or the server's user over Connect.
OWNER = getpass.getuser() if METHOD == "connect" else {"penstock": "penstock", "spark": "dbt"}[ADAPTER]


def target(server: Record) -> dict[str, Any]:
    """Return the profile's target. penstock finds the server by itself; dbt-spark needs host and port."""
    if ADAPTER == "penstock":
        # Other tests cover captured plans; an EXPLAIN for each of a thousand models adds nothing here.
        return {"type": "penstock", "method": METHOD, "threads": THREADS, "keep_plans": False}
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

    Delta is penstock's default and needs no configuration there.

    Args:
        kinds: keys of dbt_project.yml: `models`, `seeds`, `snapshots`, `tests`.
        config: the rest of the update.
    """
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    if ADAPTER == "spark":
        for kind in kinds:
            merged.setdefault(kind, {})["+file_format"] = "delta"
    return merged
