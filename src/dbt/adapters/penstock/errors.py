"""The adapter's error types. Those named `Adapter…` are dbt errors with the three parts of a PenstockError."""

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
    """A statement failed. If the troubleshooting page has an entry for the error, dbt shows the command that prints it.

    The attribute `msg` contains only Spark's message, because other code searches and stores the message.
    """

    def __str__(self, prefix: str = "! ") -> str:
        return with_help(super().__str__(prefix), self.msg, indent="  ")


def with_help(text: str, message: str, indent: str = "") -> str:
    """Return a text, followed by a line with the command that prints the troubleshooting entry of a Spark message.

    The line is left out if the troubleshooting page has no entry for the message, or if the message already names an
    entry.
    """
    name = "" if help_command("") in message else troubleshooting.name_for_spark(message)
    return f"{text}\n{indent}more: {help_command(name)}" if name else text


class ConnectionLost(ConnectionError):
    """The connection of a session was lost, so the outcome of the session's statement is unknown."""


class StatementFailed(Exception):
    """A statement failed on the server. The error's text is Spark's message, without stack frames."""


@contextmanager
def as_dbt_errors() -> Iterator[None]:
    """Convert a PenstockError of the `with` block to an AdapterError, which dbt reports as an error of the node.

    Raises:
        AdapterError: the block raised a PenstockError.
    """
    try:
        yield
    except DbtBaseException:
        raise
    except PenstockError as error:
        raise AdapterError(error.needed, error.found, error.do, entry=error.entry) from None
