"""The adapter's errors: dbt's error types with the three parts of a PenstockError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbt_common.exceptions import CompilationError, DbtBaseException, DbtDatabaseError, DbtRuntimeError

from penstock.errors import PenstockError


class AdapterError(PenstockError, DbtRuntimeError):
    """A runtime error with the fields needed, found and do."""


class AdapterCompilationError(PenstockError, CompilationError):
    """A compilation error with the same fields."""


class AdapterDatabaseError(PenstockError, DbtDatabaseError):
    """A database error with the same fields."""


@contextmanager
def as_dbt_errors() -> Iterator[None]:
    """Raise errors of the layers below as errors that dbt reports.

    Raises:
        AdapterError: for a PenstockError.
    """
    try:
        yield
    except DbtBaseException:
        raise
    except PenstockError as error:
        raise AdapterError(error.needed, error.found, error.do) from None
