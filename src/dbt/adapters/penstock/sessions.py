"""Open a Thrift session, on the project's own server or a remote one, and cancel what runs in one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtConfigError
from pyhive import hive
from pyhive.exc import Error as HiveError
from TCLIService import TCLIService
from TCLIService.ttypes import TCancelOperationReq
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import messages
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.transport import thrift_transport
from penstock.errors import PenstockError
from penstock.server import control
from penstock.server.record import Record

logger = AdapterLogger("penstock")
OPEN_ATTEMPTS = 5


@dataclass(frozen=True)
class Session:
    """An open session.

    Attributes:
        connection: PyHive's.
        cancel: cancels an operation, by its handle, over a connection of its own: a Thrift client
            serves one thread, and that of the session is inside the statement's poll.
        server: the project's own server that it is on; None on a remote one.
    """

    connection: Any
    cancel: Callable[[Any], None]
    server: Record | None = None


def managed_server(credentials: PenstockCredentials) -> Record:
    """This project's own server, started when it isn't up.

    Raises:
        FailedToConnectError: it can't be started; the message says what to do.
    """
    try:
        return control.up(credentials.settings, lambda text: logger.info(f"penstock: {text}"))
    except PenstockError as error:
        raise FailedToConnectError(str(error)) from None


def running_server(credentials: PenstockCredentials) -> Record | None:
    """The project's own server when it is up and ready; starts nothing."""
    return control.current(credentials.settings)


def _connect(credentials: PenstockCredentials, server: Record | None) -> Session:
    """One try.

    Raises:
        FailedToConnectError: no connection came about.
        DbtRuntimeError: the server would not open a session with these settings.
    """

    def cancel(operation: Any) -> None:
        transport = thrift_transport(credentials)
        transport.open()
        try:
            client = TCLIService.Client(TBinaryProtocol(transport))
            client.CancelOperation(TCancelOperationReq(operationHandle=operation))
        finally:
            transport.close()

    try:
        connection = hive.connect(
            thrift_transport=thrift_transport(credentials),
            username=credentials.user,
            # Without the prefix the server passes over a setting in silence.
            configuration={f"set:hiveconf:{k}": v for k, v in credentials.server_side_parameters.items()},
        )
    except HiveError as error:
        raise messages.refused(error) from None
    except (TTransportException, EOFError, OSError) as error:
        words = messages.unreachable(str(credentials.host), credentials.port, credentials.use_ssl, error)
        raise FailedToConnectError(words) from None
    except ImportError as error:
        raise DbtConfigError(
            messages.in_three(f"what auth: {credentials.auth} is made of", str(error), "install it beside dbt")
        ) from None
    return Session(connection, cancel, server)


def _worth_retrying(credentials: PenstockCredentials, error: FailedToConnectError) -> bool:
    words = str(error.msg).lower()
    return credentials.retry_all or "pending" in words or "temporarily_unavailable" in words


def open_session(credentials: PenstockCredentials) -> Session:
    """Open a session, after starting the project's own server when that is the target.

    A remote server is asked again `connect_retries` times, `connect_timeout` seconds apart, when
    it says that it is only starting, or after any failure with `retry_all`.
    """
    tries = OPEN_ATTEMPTS if credentials.managed else 1 + credentials.connect_retries
    for attempt in range(tries):
        try:
            if not credentials.managed:
                return _connect(credentials, None)
            server = managed_server(credentials)
            return _connect(credentials.at(server.ports.thrift, server.token), server)
        except FailedToConnectError as error:
            # A server of this project that was just killed may look alive for a moment; the next
            # turn starts a new one. No statement was sent yet, so asking again is safe.
            again = credentials.managed or _worth_retrying(credentials, error)
            if attempt == tries - 1 or not again:
                raise
            if not credentials.managed:
                logger.warning(f"{error.msg}; trying again in {credentials.connect_timeout} seconds")
        time.sleep(1 if credentials.managed else credentials.connect_timeout)
    raise AssertionError("unreachable")
