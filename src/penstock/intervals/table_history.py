"""The histories of tables in one run, and what a history provides in each table format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from penstock.intervals.delta_history import DeltaHistory
from penstock.intervals.iceberg_history import IcebergHistory
from penstock.intervals.interval_model import IntervalModel, RunSql
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_state import IntervalTable


class TableHistory(Protocol):
    """The history of one table."""

    def use_files(self) -> None:
        """Read the commits from the table's files from now on, if the files are on this machine."""

    def use_server(self) -> None:
        """Read the commits from the server from now on, because the table's folder may have changed."""

    def newest(self, run_sql: RunSql, limit: int) -> list[TableCommit]:
        """Return the newest commits of the table, at least one, in chronological order."""

    def describe(self, run_sql: RunSql) -> IntervalTable:
        """Return the table's id and grain, without its intervals."""

    def write_options(self) -> str:
        """Return the INSERT clause that makes a write fail if a commit since `newest` wrote the same intervals."""


class TableHistories:
    """The histories of tables in one run.

    Args:
        find_log: returns the folder of a table's Delta log if the folder is on this machine; otherwise None.
    """

    def __init__(self, find_log: Callable[[str], Path | None]) -> None:
        self._find_log = find_log
        self._histories: dict[str, TableHistory] = {}

    def of(self, model: IntervalModel) -> TableHistory:
        """Return the history of a model's table."""
        if model.relation not in self._histories:
            is_iceberg = model.table_format == "iceberg"
            history = IcebergHistory(model.relation) if is_iceberg else DeltaHistory(model.relation, self._find_log)
            self._histories[model.relation] = history
        return self._histories[model.relation]
