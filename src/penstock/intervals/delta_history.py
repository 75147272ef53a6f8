"""Read a Delta table's newest commits: from the log if the log is on this machine, otherwise with DESCRIBE HISTORY."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.delta import log as delta_log
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.interval_model import RunSql
from penstock.intervals.model_config import PROPERTY
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_state import IntervalTable

# Delta adds a session's metadata to every commit of the session, even to an automatic compaction. So the metadata only
# counts for commits of these operations.
REPLACES = ("CREATE OR REPLACE TABLE AS SELECT", "REPLACE TABLE AS SELECT", "CREATE OR REPLACE TABLE", "REPLACE TABLE")
WRITES = ("WRITE", "CREATE TABLE AS SELECT", *REPLACES)
COMPACTS = "OPTIMIZE"
FOREIGN = ("WRITE", "DELETE", "UPDATE", "MERGE", "TRUNCATE", "STREAMING UPDATE")


class DeltaHistory:
    """The history of a Delta table.

    Args:
        relation: the table.
        find_log: returns the folder of the table's log if the folder is on this machine; otherwise None.
    """

    def __init__(self, relation: str, find_log: Callable[[str], Path | None]) -> None:
        self._relation, self._find_log = relation, find_log
        self._log: Path | None = None

    def use_files(self) -> None:
        """Read the commits from the table's log from now on, if the log is on this machine."""
        self._log = self._find_log(self._relation)

    def use_server(self) -> None:
        """Read the commits with DESCRIBE HISTORY from now on, because the table's folder may have changed."""
        self._log = None

    def newest(self, run_sql: RunSql, limit: int) -> list[TableCommit]:
        """Return the newest commits, in chronological order."""
        rows = delta_log.history_rows(self._log, limit) if self._log else None
        return parse_history(rows or run_sql(f"describe history {self._relation} limit {limit}"))

    def describe(self, run_sql: RunSql) -> IntervalTable:
        """Return the table's id and grain, without its intervals."""
        detail = run_sql(f"describe detail {self._relation}")[0]
        return IntervalTable(str(detail["id"]), str(parse_map(detail["properties"]).get(PROPERTY, "")))

    def write_options(self) -> str:
        """Return no options: Delta finds conflicts of concurrent commits by itself."""
        return ""


def parse_history(rows: Iterable[Mapping[str, Any]]) -> list[TableCommit]:
    """Return the commits in rows of DESCRIBE HISTORY, in chronological order."""
    return sorted(map(_commit, rows), key=lambda commit: commit.version)


def _commit(row: Mapping[str, Any]) -> TableCommit:
    operation = str(row["operation"])
    session = CommitMetadata.loads(row["userMetadata"]) if operation in (*WRITES, COMPACTS) else None
    metadata = session if operation != COMPACTS else None
    restored, rows = None, None
    if operation == "RESTORE":
        # A RESTORE to a timestamp records no version. After such a RESTORE, no interval counts as built.
        version = parse_map(row["operationParameters"]).get("version")
        restored = int(str(version)) if str(version).isdigit() else -1
    elif metadata:
        written = parse_map(row["operationMetrics"]).get("numOutputRows")
        rows = int(str(written)) if str(written).isdigit() else None
    return TableCommit(
        int(row["version"]),
        operation,
        metadata,
        restored,
        rows,
        session.commit_id if session else "",
        compacts=operation == COMPACTS,
        replaces_table=operation in REPLACES,
        foreign=metadata is None and operation in FOREIGN,
    )


def parse_map(value: Any) -> dict[str, Any]:
    """Return the value of a map column as a dict; empty if it can't be parsed.

    Thrift returns a map as JSON, but doesn't always escape special characters, so the JSON may be invalid.
    """
    if isinstance(value, Mapping):
        return dict(value)
    try:
        data = json.loads(str(value))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
