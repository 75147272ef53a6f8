"""The lake as an interval source: the months of its datasets, registered with Spark as partitions.

The adapter finds it by the entry point `lake` and knows only the protocol `penstock.intervals.source.IntervalSource`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.intervals.grain import GRAINS, MONTH
from penstock.intervals.interval_model import RunSql
from penstock.lake import catalog, registration, verification
from penstock.lake.manifest import Manifest


@dataclass(frozen=True)
class LiveMonth:
    """A live month of a dataset: its folder, and the rows that were landed in it."""

    folder: str
    rows: int


class LakeIntervals:
    """The months of the lake that Spark's tables show, read once in a run.

    Args:
        settings: those of the target whose lake it is.
    """

    schema = catalog.SCHEMA
    grain = GRAINS[MONTH]

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.registers = (settings.root / catalog.FILE_NAME).exists()
        self._months: dict[str, dict[date, LiveMonth]] | None = None
        self._lock = threading.Lock()

    def has_intervals(self, table: str) -> bool:
        """Return whether a table of the schema has intervals: every dataset, but not the manifest itself."""
        return table.lower() != catalog.MANIFEST

    def register(self, run_sql: RunSql) -> str:
        """Bring Spark's external tables up to date with the lake's manifest: one statement when nothing changed.

        Raises:
            PenstockError: the manifest or lake.yml is damaged.
        """
        if not self.registers:
            return f"no {catalog.FILE_NAME}: nothing to register"
        settings = self._settings
        count = registration.register_tables(run_sql, catalog.load(settings.root), settings.lake_dir, settings.lake_uri)
        return f"{count} statements brought the lake's tables up to date" if count > 1 else "the lake is unchanged"

    def versions(self, run_sql: RunSql, table: str) -> dict[date, str]:
        """Return, by month of a dataset, the last part of its folder's name, which identifies its content.

        Raises:
            PenstockError: Spark has no table of the manifest.
        """
        return {month: live.folder.rpartition("/")[2] for month, live in self._live(run_sql, table).items()}

    def rows(self, run_sql: RunSql, table: str, interval: date) -> int:
        """Return the rows that were landed in a month; 0 when it is not live."""
        live = self._live(run_sql, table).get(interval)
        return live.rows if live else 0

    def verify(self, run_sql: RunSql, table: str, intervals: Iterable[date]) -> None:
        """Check that the files of some months are as they were landed.

        Raises:
            PenstockError: names the damaged months and how to repair them.
        """
        manifest = Manifest(self._settings.lake_dir)
        if not manifest.log_dir.exists():
            return  # a lake of another machine
        live = self._live(run_sql, table)
        folders = {live[month].folder for month in intervals if month in live}
        if folders:
            entries = {entry.folder: entry for entry in manifest.entries() if entry.folder in folders}
            verification.require_intact(manifest.lake_dir, list(entries.values()))

    def _live(self, run_sql: RunSql, table: str) -> dict[date, LiveMonth]:
        with self._lock:
            if self._months is None:
                self._months = {}
                for dataset, month, folder, count in self._manifest_rows(run_sql):
                    day = month if isinstance(month, date) else date.fromisoformat(str(month)[:10])
                    self._months.setdefault(str(dataset), {})[day] = LiveMonth(str(folder), int(count))
            return self._months.get(table, {})

    def _manifest_rows(self, run_sql: RunSql) -> Iterable[tuple[object, object, object, int]]:
        name = f"{catalog.SCHEMA}.{catalog.MANIFEST}"
        try:
            return list(run_sql(f"select dataset, file_month, folder, rows from {name} where is_live"))
        except Exception as error:
            if "TABLE_OR_VIEW_NOT_FOUND" not in str(error) and "SCHEMA_NOT_FOUND" not in str(error):
                raise
            raise PenstockError(
                "the lake's manifest as a table, to see which months changed",
                f"no {name}",
                'add `on-run-start: "{{ penstock_sync_lake() }}"` to dbt_project.yml',
            ) from None
