"""Results of tests that need no query: no failures, no differences."""

from __future__ import annotations

from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse


def no_failures() -> tuple[AdapterResponse, Any]:
    """Return the response and the rows of a data test that finds nothing."""
    import agate

    names = ["failures", "should_warn", "should_error"]
    types = [agate.Number(), agate.Boolean(), agate.Boolean()]
    return AdapterResponse(_message="OK"), agate.Table([(0, False, False)], names, types)


def no_differences() -> tuple[AdapterResponse, Any]:
    """Return the response and the rows of a unit test whose expected and actual rows are none."""
    import agate

    names = ["actual_or_expected", "column"]
    return AdapterResponse(_message="OK"), agate.Table([], names, [agate.Text(), agate.Text()])
