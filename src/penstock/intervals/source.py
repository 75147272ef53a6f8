"""Interval sources: source tables whose intervals something outside dbt keeps, such as the months of the lake.

An interval source is registered as an entry point of the group `penstock.interval_sources`. Its name is the schema of
the tables, and it is loaded only in projects that have such tables or a file `NAME.yml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from penstock.intervals.grain import Grain
from penstock.intervals.interval_model import RunSql

ENTRY_POINTS = "penstock.interval_sources"


class IntervalSource(Protocol):
    """The tables of one schema, by interval.

    Attributes:
        schema: the schema of its tables.
        grain: the length of its tables' intervals.
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
            PenstockError: the source is damaged.
        """

    def versions(self, run_sql: RunSql, table: str) -> Mapping[date, str]:
        """Return, by interval of a table, a text that identifies its content.

        Raises:
            PenstockError: Spark has no such tables.
        """

    def rows(self, run_sql: RunSql, table: str, interval: date) -> int:
        """Return the rows of an interval; 0 when the table has none."""

    def verify(self, run_sql: RunSql, table: str, intervals: Iterable[date]) -> None:
        """Check that the files of some intervals are intact.

        Raises:
            PenstockError: names the damaged ones and how to repair them.
        """
