"""Freshness of sources: a DATE counts from its midnight, and an error names the source's table and column."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.error_messages import in_three


class NotATime(DbtRuntimeError):
    """A source's newest row has no time."""


def loaded_at(value: Any) -> Any:
    """Return a newest value as a time; a DATE, which arrives as text, is the midnight that it begins with.

    Raises:
        NotATime: any other value.
    """
    if value is None or isinstance(value, datetime):
        return value
    try:
        day = value if isinstance(value, date) else datetime.strptime(str(value), "%Y-%m-%d").date()
    except ValueError:
        raise NotATime(f"{type(value).__name__} {value!r}") from None
    return datetime.combine(day, datetime.min.time())


class SourceFreshness(SparkAdapter):
    """dbt-spark's adapter, with the freshness of sources."""

    def _create_freshness_response(self, last_modified: Any, snapshotted_at: Any) -> Any:
        return super()._create_freshness_response(loaded_at(last_modified), snapshotted_at)

    def calculate_freshness(self, source: BaseRelation, loaded_at_field: str, *arguments: Any, **options: Any) -> Any:
        """Return a source's freshness by its column.

        Raises:
            DbtRuntimeError: the source is in another catalog, or its column is neither a date nor a timestamp.
        """
        databases.check_read(source)
        try:
            return super().calculate_freshness(source, loaded_at_field, *arguments, **options)
        except NotATime as error:
            cure = f"set loaded_at_field to an expression that is one, as in cast({loaded_at_field} as timestamp)"
            raise _not_a_time(source, f"loaded_at_field {loaded_at_field}", error, cure) from None

    def calculate_freshness_from_custom_sql(
        self, source: BaseRelation, sql: str, *arguments: Any, **options: Any
    ) -> Any:
        """Return a source's freshness by its `loaded_at_query`.

        Raises:
            DbtRuntimeError: the query gives neither a date nor a timestamp.
        """
        try:
            return super().calculate_freshness_from_custom_sql(source, sql, *arguments, **options)
        except NotATime as error:
            raise _not_a_time(source, "loaded_at_query", error, "cast its column to timestamp") from None


def _not_a_time(source: BaseRelation, what: str, found: NotATime, do: str) -> DbtRuntimeError:
    return DbtRuntimeError(in_three(f"a timestamp or date as {what} of {source.render()}", found.msg, do))
