"""The newest commits of tables: from the Delta log when it is on this machine, else by DESCRIBE HISTORY."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.delta import log as delta_log
from penstock.intervals.commit_metadata import TableCommit, parse_history
from penstock.intervals.interval_model import RunSql


class TableHistories:
    """The histories of tables in one run.

    Args:
        find_log: returns the folder of a table's Delta log when it is on this machine; else None.
    """

    def __init__(self, find_log: Callable[[str], Path | None]) -> None:
        self._find_log = find_log
        self._logs: dict[str, Path | None] = {}

    def use_log(self, relation: str) -> None:
        """From now on read the table's log, if it is on this machine."""
        self._logs[relation] = self._find_log(relation)

    def use_server(self, relation: str) -> None:
        """From now on ask the server: the table may have moved to another folder."""
        self._logs[relation] = None

    def newest(self, run_sql: RunSql, relation: str, limit: int) -> list[TableCommit]:
        """Return the newest commits of a table, the oldest of them first."""
        log = self._logs.get(relation)
        rows = delta_log.history_rows(log, limit) if log else None
        return parse_history(rows or run_sql(f"describe history {relation} limit {limit}"))
