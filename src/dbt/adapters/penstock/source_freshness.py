"""Freshness of sources: a DATE counts from its midnight, and an error names the source's table and column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from dbt.adapters.base import BaseRelation
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.errors import AdapterError


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


@contextmanager
def checked_time(source: BaseRelation, field: str, advice: str) -> Iterator[None]:
    """Check that the newest value of a source is a time.

    Args:
        source: the source's relation.
        field: what the value comes from, as in `loaded_at_field updated`.
        advice: what to do when it is not a time.

    Raises:
        AdapterError: it is neither a date nor a timestamp.
    """
    try:
        yield
    except NotATime as error:
        raise AdapterError(f"a timestamp or date as {field} of {source.render()}", error.msg, advice) from None
