"""Run a SQL statement on the target's server: the server that penstock manages, or the target's `host`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pyhive import hive
from thrift.transport.TTransport import TTransportException

from penstock.config import dbt_credentials
from penstock.config.profiles import typed_command
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.server import control

RunQuery = Callable[[str], list[tuple[Any, ...]]]


def run_query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Run a SQL statement in a new session and return its rows.

    Raises:
        PenstockError: no server is running, or the statement failed. If the statement failed, the error contains
            Spark's message without the stack trace.
    """
    with open_session(settings) as run:
        return run(sql)


@contextlib.contextmanager
def open_session(settings: Settings) -> Iterator[RunQuery]:
    """Open a session, yield the function that runs a statement in it, and close the session.

    Raises:
        PenstockError: no server is running. The yielded function raises a PenstockError if a statement failed. That
            error contains Spark's message without the stack trace.
    """
    connection = _connect(settings)

    def run(sql: str) -> list[tuple[Any, ...]]:
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]
        except hive.OperationalError as error:
            status = getattr(error.args[0], "status", None) if error.args else None
            message = str(status.errorMessage if status else error).splitlines()[0]
            raise PenstockError("an answer to a statement", message, f"see {control.log_folder(settings)}") from None
        except (TTransportException, OSError):
            do = f"see {control.log_folder(settings)}, then run the command again"
            raise PenstockError("an answer to a statement", "the connection to the server ended", do) from None

    try:
        yield run
    finally:
        # Closing a session can fail inside Hive. Ignore such a failure: the rows or the error have already arrived.
        with contextlib.suppress(hive.OperationalError, TTransportException, OSError):
            connection.close()


def _connect(settings: Settings) -> Any:
    if control.is_remote(settings):
        return _connect_remote(settings)
    running = control.current(settings)
    if running is None:
        raise PenstockError("a running server", "none is up", f"type `{typed_command('up')}`")
    try:
        return running.connect()
    except (TTransportException, hive.OperationalError):
        do = f"see {control.log_folder(settings)}; `{typed_command('down')}` and `{typed_command('up')}` start it again"
        raise PenstockError("a running server", f"no answer at port {running.ports.thrift}", do) from None


def _connect_remote(settings: Settings) -> Any:
    """Return a connection to the target's server, with the target's login, TLS and session settings.

    Raises:
        PenstockError: the profile cannot be read, the target is not of type penstock over Thrift or Spark Connect, or
            the server refuses the session.
    """
    from dbt_common.exceptions import DbtRuntimeError

    from dbt.adapters.penstock import connect_opening, sessions
    from dbt.adapters.penstock.credentials import ConnectionMethod, PenstockCredentials
    from dbt.adapters.penstock.sessions import OpenSession

    credentials = dbt_credentials.load_credentials(settings.root, settings.target)
    where = f"target {settings.target} of profiles.yml"
    methods: dict[str, Callable[[PenstockCredentials], OpenSession]] = {
        ConnectionMethod.THRIFT: sessions.open_session,
        ConnectionMethod.CONNECT: connect_opening.open_session,
    }
    if not isinstance(credentials, PenstockCredentials) or credentials.method not in methods:
        needed = "a target of type penstock over Thrift or Spark Connect"
        raise PenstockError(needed, where, "choose another --target, or use dbt")
    try:
        return methods[credentials.method](credentials).connection
    except PenstockError as error:
        raise PenstockError(f"a session on {where}", error.found, error.do, entry=error.entry) from None
    except DbtRuntimeError as error:
        raise PenstockError(f"a session on {where}", " ".join(str(error.msg).split()), "see `dbt debug`") from None
