"""Freshness of sources, for columns of the type DATE too, and with errors that name the table and column."""

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
    """Return the newest value of a source as a timestamp; a DATE, which Thrift sends as text, becomes its midnight.

    Raises:
        NotATimeError: it is neither a date nor a timestamp.
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
    """Raise an error that names the source when its newest value is not a time.

    Args:
        source: the source's relation.
        field: the configuration that gives the value, such as `loaded_at_field updated`.
        advice: what to do when it is not a time.

    Raises:
        AdapterError: the value is neither a date nor a timestamp.
    """
    try:
        yield
    except NotATimeError as error:
        raise AdapterError(f"a timestamp or date as {field} of {source.render()}", error.msg, advice) from None
