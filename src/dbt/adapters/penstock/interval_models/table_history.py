"""The newest commits of tables: from the Delta log where this program can read it, else by DESCRIBE HISTORY."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dbt.adapters.penstock.interval_models.interval_model import Run
from penstock.delta import log as delta_log
from penstock.intervals import commit_metadata
from penstock.intervals.commit_metadata import Commit


class Histories:
    """The histories of tables in one run.

    Args:
        log_of: the folder of a table's Delta log, where this program can read it; else None.
    """

    def __init__(self, log_of: Callable[[str], Path | None]) -> None:
        self._log_of = log_of
        self._logs: dict[str, Path | None] = {}

    def find_log(self, relation: str) -> None:
        """From now on read the table's log, if it is on this machine."""
        self._logs[relation] = self._log_of(relation)

    def leave_log(self, relation: str) -> None:
        """From now on ask the server: the table may have another folder."""
        self._logs[relation] = None

    def newest(self, run: Run, relation: str, limit: int) -> list[Commit]:
        """Return the newest commits of a table, the oldest of them first."""
        log = self._logs.get(relation)
        found = delta_log.rows(log, limit) if log else None
        return commit_metadata.history(found or run(f"describe history {relation} limit {limit}"))
