"""Results of passed tests. The adapter returns these results for tests whose query it does not send."""

from __future__ import annotations

from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse


def no_failures() -> tuple[AdapterResponse, Any]:
    """Return the response and the rows of a data test without failures."""
    import agate

    columns = ["failures", "should_warn", "should_error"]
    types = [agate.Number(), agate.Boolean(), agate.Boolean()]
    return AdapterResponse(_message="OK"), agate.Table([(0, False, False)], columns, types)


def no_differences() -> tuple[AdapterResponse, Any]:
    """Return the response and the rows of a unit test without differences.

    The result has neither expected nor actual rows, so dbt finds no differences.
    """
    import agate

    columns = ["actual_or_expected", "column"]
    return AdapterResponse(_message="OK"), agate.Table([], columns, [agate.Text(), agate.Text()])
