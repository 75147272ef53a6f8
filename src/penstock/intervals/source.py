"""Interval sources: plugins that know the intervals of a schema's source tables, such as the months of the lake.

A plugin is an entry point of the group `penstock.interval_sources`. The name of the entry point is the name of the
schema. Penstock loads a plugin only in projects that have source tables in its schema, or a file `NAME.yml`, where NAME
is the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from penstock.intervals.grain import Grain
from penstock.intervals.interval_model import RunSql

ENTRY_POINTS = "penstock.interval_sources"


class IntervalSource(Protocol):
    """The source tables of one schema and their intervals.

    Attributes:
        schema: the schema of the tables.
        grain: the length of the tables' intervals.
        registers: whether this project registers the tables with Spark.
    """

    schema: str
    grain: Grain
    registers: bool

    def has_intervals(self, table: str) -> bool:
        """Return whether a table of the schema has intervals."""

    def register(self, run_sql: RunSql) -> str:
        """Register the tables with Spark, and return a message for the log.

        Raises:
            PenstockError: the source's files are damaged.
        """

    def unregistered(self) -> IntervalSource:
        """Return a source that reads the intervals from its own storage, for a command that must not call `register`.

        If this machine can't read the storage, the returned source reads the tables in Spark as this source does.
        """

    def versions(self, run_sql: RunSql, table: str) -> Mapping[date, str]:
        """Return the version of each interval of a table. A version is a text that identifies the interval's content.

        Raises:
            PenstockError: the tables are not registered with Spark.
        """

    def rows(self, run_sql: RunSql, table: str, interval: date) -> int:
        """Return the number of a table's rows in an interval."""

    def verify(self, run_sql: RunSql, table: str, intervals: Iterable[date]) -> None:
        """Check that the files of some intervals are intact.

        Raises:
            PenstockError: a file is damaged. The error names the damaged files and how to repair them.
        """
