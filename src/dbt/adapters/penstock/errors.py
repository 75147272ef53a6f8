"""The adapter's error types. Each is one of dbt's error types, with the three parts of a PenstockError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbt_common.exceptions import CompilationError, DbtBaseException, DbtDatabaseError, DbtRuntimeError

from penstock.errors import PenstockError


class AdapterError(PenstockError, DbtRuntimeError):
    """A dbt runtime error with the fields `needed`, `found` and `do`."""


class AdapterCompilationError(PenstockError, CompilationError):
    """A dbt compilation error with the fields `needed`, `found` and `do`."""


class AdapterDatabaseError(PenstockError, DbtDatabaseError):
    """A dbt database error with the fields `needed`, `found` and `do`."""


class ConnectionLost(ConnectionError):
    """The connection of a session was lost, so that the outcome of its statement is unknown."""


class StatementFailed(Exception):
    """A statement failed on the server. The text is Spark's message, without stack frames."""


@contextmanager
def as_dbt_errors() -> Iterator[None]:
    """Convert each PenstockError of the block to an AdapterError, which dbt reports as an error of the node.

    Raises:
        AdapterError: the block raised a PenstockError.
    """
    try:
        yield
    except DbtBaseException:
        raise
    except PenstockError as error:
        raise AdapterError(error.needed, error.found, error.do) from None
