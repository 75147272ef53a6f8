"""The lake's months as Spark shows them: which file each one is, and whether that file is whole."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.error_messages import in_three
from dbt.adapters.penstock.interval_models.interval_model import Run
from penstock.errors import PenstockError
from penstock.lake import verification
from penstock.lake.catalog import MANIFEST, SCHEMA
from penstock.lake.manifest import Manifest


@dataclass(frozen=True)
class Month:
    """A live month: its folder, and the rows that were landed in it."""

    folder: str
    rows: int


class Lake:
    """The manifest that the lake's tables were published from, read once in a run.

    Args:
        credentials: the target, whose lake it is.
    """

    def __init__(self, credentials: PenstockCredentials) -> None:
        self._credentials = credentials
        self._months: dict[str, dict[date, Month]] | None = None
        self._lock = threading.Lock()

    def _read(self, run: Run) -> dict[str, dict[date, Month]]:
        with self._lock:
            if self._months is None:
                self._months = {}
                sql = f"select dataset, file_month, folder, rows from {SCHEMA}.{MANIFEST} where is_live"
                try:
                    rows = run(sql)
                except DbtRuntimeError as error:
                    if "TABLE_OR_VIEW_NOT_FOUND" not in str(error) and "SCHEMA_NOT_FOUND" not in str(error):
                        raise
                    raise DbtRuntimeError(
                        in_three(
                            "the lake's manifest as a table, to see which months changed",
                            f"no {SCHEMA}.{MANIFEST}",
                            'add `on-run-start: "{{ penstock_sync_lake() }}"` to dbt_project.yml',
                        )
                    ) from None
                for dataset, month, folder, count in rows:
                    day = month if isinstance(month, date) else date.fromisoformat(str(month)[:10])
                    self._months.setdefault(str(dataset), {})[day] = Month(str(folder), int(count))
            return self._months

    def months(self, run: Run, dataset: str) -> dict[date, str]:
        """By month of a dataset, what tells its content from any other: the last part of its folder's name."""
        found = self._read(run).get(dataset, {})
        return {month: of.folder.rpartition("/")[2] for month, of in found.items()}

    def rows(self, run: Run, dataset: str, month: date) -> int:
        """Rows that were landed in a month; 0 when it isn't live."""
        found = self._read(run).get(dataset, {}).get(month)
        return found.rows if found else 0

    def require(self, run: Run, dataset: str, months: Iterable[date]) -> None:
        """Refuse months whose files are not what was landed: nothing is built from a damaged lake.

        Raises:
            DbtRuntimeError: names each of them and how to repair it.
        """
        manifest = Manifest(self._credentials.settings.lake_dir)
        if not manifest.log_dir.exists():
            return  # a lake of another machine
        live = self._read(run).get(dataset, {})
        folders = {live[month].folder for month in months if month in live}
        if not folders:
            return
        entries = {entry.folder: entry for entry in manifest.entries() if entry.folder in folders}
        try:
            verification.require_intact(manifest.lake_dir, list(entries.values()))
        except PenstockError as error:
            raise DbtRuntimeError(str(error)) from None
