"""The lake as an interval source, which tells the adapter the months of each dataset and the version of each month.

The months are partitions of Spark tables. The adapter finds this class through the entry point `lake`, and uses it
only through the protocol `penstock.intervals.source.IntervalSource`.
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
    """A live month of a dataset, with the folder of its landed file and the number of landed rows."""

    folder: str
    rows: int


class LakeIntervals:
    """The live months of the lake, as Spark's tables show them. The months are read from Spark once in each run.

    Args:
        settings: the settings of the target.
        from_files: whether to read the live months from the lake's manifest instead of from Spark, if the manifest can
            be read on this machine.
    """

    schema = catalog.SCHEMA
    grain = GRAINS[MONTH]

    def __init__(self, settings: Settings, from_files: bool = False) -> None:
        self._settings, self._from_files = settings, from_files
        self.registers = (settings.root / catalog.FILE_NAME).exists()
        self._months: dict[str, dict[date, LiveMonth]] | None = None
        self._lock = threading.Lock()

    def has_intervals(self, table: str) -> bool:
        """Return whether a table in the schema has intervals. Every table has intervals, except the manifest."""
        return table.lower() != catalog.MANIFEST

    def register(self, run_sql: RunSql) -> str:
        """Update Spark's external tables from the lake's manifest, and return a message about the result.

        If the lake is unchanged since the last registration, this method runs only one SQL statement.

        Raises:
            PenstockError: the manifest is damaged, or lake.yml is invalid.
        """
        if not self.registers:
            return f"no {catalog.FILE_NAME}: nothing to register"
        settings = self._settings
        count = registration.register_tables(run_sql, catalog.load(settings.root), settings.lake_dir, settings.lake_uri)
        return f"{count} statements brought the lake's tables up to date" if count > 1 else "the lake is unchanged"

    def unregistered(self) -> LakeIntervals:
        """Return a source that reads the live months from the lake's manifest instead of from Spark.

        Spark's tables may lack months that landed since the last run, because a run registers the months.
        """
        return LakeIntervals(self._settings, from_files=True)

    def versions(self, run_sql: RunSql, table: str) -> dict[date, str]:
        """Return the version of each live month of a dataset.

        The version is the name of the month's folder, which is a hash that identifies the content.

        Raises:
            PenstockError: the manifest is not registered with Spark as a table.
        """
        return {month: live.folder.rpartition("/")[2] for month, live in self._live(run_sql, table).items()}

    def rows(self, run_sql: RunSql, table: str, interval: date) -> int:
        """Return the number of landed rows of a month, or 0 if the month is not live."""
        live = self._live(run_sql, table).get(interval)
        return live.rows if live else 0

    def verify(self, run_sql: RunSql, table: str, intervals: Iterable[date]) -> None:
        """Check that the landed files of some months are unchanged since landing.

        Raises:
            PenstockError: a file is damaged. The message names the damaged months and how to repair them.
        """
        manifest = Manifest(self._settings.lake_dir)
        if not manifest.log_dir.exists():
            return  # The lake is on another machine, so its files can't be checked here.
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
        manifest = Manifest(self._settings.lake_dir)
        if self._from_files and manifest.log_dir.exists():
            return [(item.dataset, item.file_month, item.folder, item.rows) for item in manifest.live().values()]
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
                entry="the-lake-isnt-registered",
            ) from None
