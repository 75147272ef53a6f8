"""Freshness of sources. Timestamp and DATE columns are supported, and errors name the table and column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError


class NotATimeError(DbtRuntimeError):
    """The newest value of a source is neither a date nor a timestamp."""


def loaded_at(value: Any) -> Any:
    """Return the newest value of a source as a timestamp.

    A DATE, which Thrift sends as text, becomes midnight of that day.

    Raises:
        NotATimeError: the value is neither a date nor a timestamp.
    """
    if value is None or isinstance(value, datetime):
        return value
    try:
        day = value if isinstance(value, date) else datetime.strptime(str(value), "%Y-%m-%d").date()
    except ValueError:
        raise NotATimeError(f"{type(value).__name__} {value!r}") from None
    return datetime.combine(day, datetime.min.time())


@contextmanager
def checked_time(source: BaseRelation, field: str, advice: str) -> Iterator[None]:
    """If the `with` block raises a `NotATimeError`, raise an error that names the source instead.

    Args:
        source: the source's relation.
        field: the configuration that determines the value, such as `loaded_at_field updated`.
        advice: the error message's advice on what to do when the value is not a time.

    Raises:
        AdapterError: the newest value of the source is neither a date nor a timestamp.
    """
    try:
        yield
    except NotATimeError as error:
        raise AdapterError(f"a timestamp or date as {field} of {source.render()}", error.msg, advice) from None
