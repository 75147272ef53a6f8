"""Open a session for SQL over Spark Connect, on the project's own server or on a remote server."""

from __future__ import annotations

import atexit
import os
import warnings
from typing import Any

from dbt.adapters.exceptions import FailedToConnectError

from dbt.adapters.penstock import connect_errors, error_messages, sessions
from dbt.adapters.penstock.connect_sql import ConnectSession
from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.python_submissions import connect_session
from penstock.spark.server.record import Record
from penstock.sql import data_types


def open_session(credentials: PenstockCredentials) -> ConnectSession:
    """Open a session. For retries and the start of the server, see `sessions.opened`."""
    return sessions.opened(credentials, _connect)


def _connect(credentials: PenstockCredentials, server: Record | None) -> ConnectSession:
    """Open a session without retries.

    Args:
        credentials: the credentials, with the session's settings.
        server: the project's own server, or None for a remote server.

    Raises:
        FailedToConnectError: no connection could be made.
        DbtRuntimeError: the server refused a session with these settings.
    """
    # Without this variable, gRPC would write each failed TLS handshake to stderr. gRPC reads the variable when it is
    # imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc  # type: ignore[import-untyped]
    from pyspark.logger import PySparkLogger
    from pyspark.sql.connect.client.core import SparkConnectClient

    # Otherwise, pyspark would write each error of a statement to stderr as JSON.
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    # The adapter's error for a lost connection has more details than this warning.
    warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
    address = connect_session.server_address(server) if server else str(credentials.connect_url)
    channel = connect_session.build_channel(credentials, address, str(credentials.user))
    client = SparkConnectClient(channel)
    # At exit, each client would send a request to clear the server's cache of fitted models. Sessions for SQL fit no
    # models, so the request is unnecessary.
    atexit.unregister(client._cleanup_ml_cache)
    connect_session.limit_retries(client, credentials)
    session = ConnectSession(client, address, credentials.connect_timeout, server)
    settings = {**data_types.UNTRUNCATED_TYPES, **credentials.server_side_parameters}
    try:
        _configure(client, settings, max(10, credentials.connect_timeout))
    except grpc.RpcError as error:
        session.abandon()
        message = connect_errors.unreachable(channel.endpoint, error.code(), str(error.details()))
        raise FailedToConnectError(connect_session.without_token(message, address)) from None
    except Exception as error:
        failure = session._translated(error)
        session.close()
        raise error_messages.session_refused(failure, "Spark Connect") from None
    return session


def _configure(client: Any, settings: dict[str, str], seconds: float) -> None:
    """Set a new session's settings. This first request also opens the connection and creates the session.

    Raises:
        RpcError: the server doesn't answer, or it refuses the connection.
        PySparkException: Spark does not accept a setting.
    """
    import grpc

    request = client._config_request_with_metadata()
    for key, value in settings.items():
        request.operation.set.pairs.add(key=key, value=value)
    try:
        # The client's method `config` has no time limit, so the request is sent without this method.
        answer = client._stub.Config(request, metadata=client._builder.metadata(), timeout=seconds)
    except grpc.RpcError as error:
        if connect_errors.is_from_spark(error):
            client._handle_error(error)
        raise
    client._verify_response_integrity(answer)
