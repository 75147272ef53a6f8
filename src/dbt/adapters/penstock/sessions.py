"""Open sessions on the project's own server or on a remote server, and cancel the statements of Thrift sessions."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtConfigError
from pyhive import hive
from pyhive.exc import Error as HiveError
from TCLIService import TCLIService
from TCLIService.ttypes import TCancelOperationReq, TCloseOperationReq, TCloseSessionReq, TOperationState
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import error_messages, transport
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import as_dbt_errors
from dbt.adapters.penstock.polling import poll_until_ended
from penstock.errors import PenstockError, render
from penstock.spark.server import control
from penstock.spark.server.record import Record
from penstock.sql import data_types

logger = AdapterLogger("penstock")
OPEN_ATTEMPTS = 5
T = TypeVar("T")


class OpenSession(Protocol):
    """An open session of one thread, over Thrift or Spark Connect. Other threads may call `cancel`, `end` and `wake`.

    Attributes:
        connection: creates cursors.
        seconds: the longest time, in seconds, that the server may take to close the session.
        server: the project's own server, or None for a remote server.
    """

    @property
    def connection(self) -> Any: ...

    @property
    def seconds(self) -> float: ...

    @property
    def server(self) -> Record | None: ...

    def start(self, cursor: Any, sql: str, bindings: list[Any] | None) -> Any:
        """Start a statement, and return a handle by which another thread can cancel the statement."""

    def wait(self, cursor: Any, operation: Any, pause: float, sleep: Callable[[float], object]) -> str | None:
        """Wait until a started statement ends. Return Spark's error message if the statement failed."""

    def cancel(self, operation: Any) -> None:
        """Cancel a statement by its handle."""

    def end(self, operation: Any) -> None:
        """End a statement and the session on the server."""

    def wake(self) -> None:
        """Cut the connection, so that a thread that waits for an answer gets an error."""

    def abandon(self) -> None:
        """Close the connection, but not the session on the server."""

    def close(self, cursor: Any) -> None:
        """Close a session that is not in use."""


@dataclass(frozen=True)
class Session:
    """An open Thrift session. For the methods, see OpenSession.

    Attributes:
        connection: PyHive's connection.
        send_separately: sends a request over a separate connection, because the session's own connection may be busy
            with a poll.
        seconds: the longest time, in seconds, that the server may take to close the session.
        server: the project's own server, or None for a remote server.
    """

    connection: Any
    send_separately: Callable[[Callable[[Any], object]], None]
    seconds: float = 10
    server: Record | None = None

    def start(self, cursor: Any, sql: str, bindings: list[Any] | None) -> Any:
        """Send a statement, and return the server's handle of the statement."""
        cursor.execute(sql, bindings, async_=True)
        return cursor._operationHandle

    def wait(self, cursor: Any, operation: Any, pause: float, sleep: Callable[[float], object]) -> str | None:
        """Poll until a statement ends. Return Spark's error message if the statement failed.

        Args:
            pause: the longest pause between two polls, in seconds.
            sleep: waits for the given number of seconds. Another thread may end the wait earlier.
        """
        status = poll_until_ended(cursor.poll, pause, sleep=sleep)
        state = status.operationState
        if state == TOperationState.FINISHED_STATE:
            return None
        name = TOperationState._VALUES_TO_NAMES.get(state, state)
        return status.errorMessage or f"the statement ended as {name}: it was cancelled on the server"

    def cancel(self, operation: Any) -> None:
        """Cancel an operation by its handle."""
        self.send_separately(lambda client: client.CancelOperation(TCancelOperationReq(operationHandle=operation)))

    def end(self, operation: Any) -> None:
        """Close an operation and the session on the server."""

        def close(client: Any) -> None:
            client.CloseOperation(TCloseOperationReq(operationHandle=operation))
            client.CloseSession(TCloseSessionReq(sessionHandle=self.connection.sessionHandle))

        self.send_separately(close)

    def wake(self) -> None:
        """Cut the connection, so that a thread that waits for an answer gets an error."""
        transport.wake(self.connection._transport)

    def abandon(self) -> None:
        """Close the connection, but not the session on the server. Only the session's own thread may call this."""
        with suppress(Exception):
            self.connection._transport.close()

    def close(self, cursor: Any) -> None:
        """Close a session that is not in use. Also close its last cursor, which the server would otherwise keep."""
        try:
            transport.limit(self.connection._transport, self.seconds)
            with suppress(HiveError):
                if cursor:
                    cursor.close()
            self.connection.close()
        finally:
            self.abandon()


def managed_server(credentials: PenstockCredentials) -> Record:
    """Return the project's own server. Start the server if it is not running.

    Raises:
        FailedToConnectError: the server cannot be started. The message says what to do.
    """
    steps: list[str] = []

    def show(step: str) -> None:
        steps.append(step)
        logger.info(f"{step} … this takes up to a minute")

    try:
        server = control.up(credentials.settings, show)
    except PenstockError as error:
        raise FailedToConnectError(str(error)) from None
    # If another thread or process started the server, `steps` is empty. Only the starter logs the message.
    if steps:
        master = credentials.settings.server.master
        logger.info(f"the Spark server is up after {server.ready_seconds:g} s, with master {master}")
    return server


def running_server(credentials: PenstockCredentials) -> Record | None:
    """Return the project's own server if it is ready, otherwise None. This function does not start the server.

    Raises:
        AdapterError: penstock.yml is not valid.
    """
    with as_dbt_errors():
        return control.current(credentials.settings)


def _connect(credentials: PenstockCredentials, server: Record | None) -> Session:
    """Open a Thrift session without retries.

    Args:
        credentials: the credentials, with the session's settings.
        server: the project's own server, or None for a remote server.

    Raises:
        FailedToConnectError: no connection could be made.
        DbtRuntimeError: the server refused a session with these settings.
    """
    if server:
        credentials = credentials.for_local_server(server.ports.thrift, server.token)

    def send_separately(request: Callable[[Any], object]) -> None:
        other = transport.thrift_transport(credentials)
        other.open()
        try:
            transport.limit(other, credentials.connect_timeout)
            request(TCLIService.Client(TBinaryProtocol(other)))
        finally:
            other.close()

    try:
        connection = hive.connect(
            thrift_transport=transport.thrift_transport(credentials),
            username=credentials.user,
            # PyHive sends `use NAME` with this name. A catalog's name selects the catalog, even if it has no schema
            # `default`.
            database=credentials.database or "default",
            # The server ignores a setting without this prefix.
            configuration={
                f"set:hiveconf:{k}": v
                for k, v in {**data_types.UNTRUNCATED_TYPES, **credentials.server_side_parameters}.items()
            },
        )
    except HiveError as error:
        raise error_messages.session_refused(error) from None
    except (TTransportException, EOFError, OSError) as error:
        message = error_messages.unreachable(str(credentials.host), credentials.port, credentials.use_ssl, error)
        raise FailedToConnectError(message) from None
    except ImportError as error:
        raise DbtConfigError(
            render(f"the Python packages of auth: {credentials.auth}", str(error), "install it beside dbt")
        ) from None
    return Session(connection, send_separately, credentials.connect_timeout, server=server)


def _is_retryable(credentials: PenstockCredentials, error: FailedToConnectError) -> bool:
    message = str(error.msg).lower()
    return credentials.retry_all or "pending" in message or "temporarily_unavailable" in message


def open_session(credentials: PenstockCredentials) -> Session:
    """Open a Thrift session. For retries and the start of the server, see `opened`."""
    return opened(credentials, _connect)


def opened(credentials: PenstockCredentials, connect: Callable[[PenstockCredentials, Record | None], T]) -> T:
    """Open a session. If the target is the project's own server, start that server first if needed.

    Args:
        credentials: the credentials, with the session's settings.
        connect: opens a session without retries.

    For a remote server, retry up to `connect_retries` times, with pauses of `connect_timeout` seconds. Retry if the
    server is still starting, or after any failure if `retry_all` is set.
    """
    tries = OPEN_ATTEMPTS if credentials.managed else 1 + credentials.connect_retries
    for attempt in range(tries):
        try:
            return connect(credentials, managed_server(credentials) if credentials.managed else None)
        except FailedToConnectError as error:
            # A server of the project that was just killed may look alive for a moment. The next attempt starts a new
            # server. No statement was sent yet, so another attempt is safe.
            retry = credentials.managed or _is_retryable(credentials, error)
            if attempt == tries - 1 or not retry:
                raise
            if not credentials.managed:
                logger.warning(f"{error.msg}; trying again in {credentials.connect_timeout} seconds")
        time.sleep(1 if credentials.managed else credentials.connect_timeout)
    raise AssertionError("unreachable")
