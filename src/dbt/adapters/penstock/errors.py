"""The adapter's error types. Each is one of dbt's error types, with the three parts of a PenstockError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbt_common.exceptions import CompilationError, DbtBaseException, DbtDatabaseError, DbtRuntimeError

from penstock import troubleshooting
from penstock.errors import PenstockError, help_command


class AdapterError(PenstockError, DbtRuntimeError):
    """A dbt runtime error with the fields `needed`, `found` and `do`."""


class AdapterCompilationError(PenstockError, CompilationError):
    """A dbt compilation error with the fields `needed`, `found` and `do`."""


class AdapterDatabaseError(PenstockError, DbtDatabaseError):
    """A dbt database error with the fields `needed`, `found` and `do`."""


class StatementError(DbtDatabaseError):
    """A statement failed. If the troubleshooting page has an entry for Spark's error, dbt shows how to print it.

    The attribute `msg` is Spark's message alone, which other code searches and stores.
    """

    def __str__(self, prefix: str = "! ") -> str:
        return with_help(super().__str__(prefix), self.msg, indent="  ")


def with_help(text: str, message: str, indent: str = "") -> str:
    """Return a text with a last line that names the troubleshooting entry of a Spark message.

    The text is unchanged if the page has no such entry, or if the message names an entry itself.
    """
    name = "" if help_command("") in message else troubleshooting.name_for_spark(message)
    return f"{text}\n{indent}more: {help_command(name)}" if name else text


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
        raise AdapterError(error.needed, error.found, error.do, entry=error.entry) from None
