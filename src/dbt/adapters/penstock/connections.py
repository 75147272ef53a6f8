"""Connections: dbt-spark's, to a server that is started when none is up."""

from __future__ import annotations

import time
from pathlib import Path

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.spark.connections import SparkConnectionManager

from dbt.adapters.penstock.credentials import PenstockCredentials
from penstock.errors import PenstockError
from penstock.server import control
from penstock.server.ports import LOOPBACK
from penstock.server.record import Record
from penstock.settings import find_root, load

logger = AdapterLogger("penstock")
OPEN_ATTEMPTS = 5


def managed_server(credentials: PenstockCredentials) -> Record:
    """This project's own server, started when it isn't up.

    Raises:
        FailedToConnectError: it can't be started; the message says what to do.
    """
    try:
        settings = load(find_root(Path(credentials.project_root)))
        return control.up(settings, lambda text: logger.info(f"penstock: {text}"))
    except PenstockError as error:
        raise FailedToConnectError(str(error)) from None


class PenstockConnectionManager(SparkConnectionManager):
    """dbt-spark's connection manager over the project's own server."""

    TYPE = "penstock"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open a Thrift session, after starting the project's own server when that is the target."""
        credentials = connection.credentials
        if connection.state == ConnectionState.OPEN or not credentials.managed:
            return super().open(connection)
        for attempt in range(OPEN_ATTEMPTS):
            server = managed_server(credentials)
            connection.credentials = credentials.replace(host=LOOPBACK, port=server.ports.thrift)
            try:
                return super().open(connection)
            except FailedToConnectError:
                # A server that was just killed may look alive for a moment. No statement was sent
                # yet, so asking again is safe; the next turn starts a new one.
                if attempt == OPEN_ATTEMPTS - 1:
                    raise
                time.sleep(1)
        raise AssertionError("unreachable")
