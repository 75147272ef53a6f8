"""Connections: dbt-spark's, to a server that is started when none is up, and kept between nodes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.spark.connections import SparkConnectionManager
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.credentials import PenstockCredentials
from penstock.errors import PenstockError
from penstock.server import control
from penstock.server.ports import LOOPBACK
from penstock.server.record import Record
from penstock.settings import find_root, load

logger = AdapterLogger("penstock")
OPEN_ATTEMPTS = 5
COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
CHANGES_SESSION = re.compile(
    r"^\s*(set|reset|use|add|cache|uncache|clear|refresh)\b|\b(temporary|temp)\s+(view|function)\b", re.IGNORECASE
)


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


def changes_session(sql: str) -> bool:
    """Whether a statement leaves something in its session: a setting, a schema in use, a temporary view."""
    return bool(CHANGES_SESSION.search(COMMENT.sub(" ", sql)))


def without_stack(message: str) -> str:
    """Spark's message up to its first stack frame, each line of it once."""
    lines = re.split(r"\n\s*at [\w.$]+[^\n]*\(", message, maxsplit=1)[0].splitlines()
    return "\n".join(dict.fromkeys(line.rstrip() for line in lines if line.strip()))


class PenstockConnectionManager(SparkConnectionManager):
    """dbt-spark's connection manager over the project's own server.

    dbt opens and closes a session for every node. A session costs about a tenth of a second of the
    server, much of it under a lock that all share, so one that no statement changed serves the
    next node of its thread; a changed one, or one that met an error, is closed as dbt would.
    """

    TYPE = "penstock"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._changed: set[Any] = set()

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open a Thrift session, after starting the project's own server when that is the target."""
        credentials = connection.credentials
        if connection.state == ConnectionState.OPEN or not credentials.managed:
            return super().open(connection)
        for attempt in range(OPEN_ATTEMPTS):
            server = managed_server(credentials)
            opened = copy(connection)
            opened.credentials = credentials.replace(host=LOOPBACK, port=server.ports.thrift)
            try:
                super().open(opened)
                connection.handle, connection.state = opened.handle, opened.state
                connection.handle.server = server
                return connection
            except FailedToConnectError:
                # A server that was just killed may look alive for a moment. No statement was sent
                # yet, so asking again is safe; the next turn starts a new one.
                if attempt == OPEN_ATTEMPTS - 1:
                    raise
                time.sleep(1)
        raise AssertionError("unreachable")

    def set_connection_name(self, name: str | None = None) -> Connection:
        """Take over this thread's session, unless its server is no longer the one that runs."""
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN and connection.credentials.managed:
            settings = load(find_root(Path(connection.credentials.project_root)))
            if control.current(settings) != connection.handle.server:
                self.clear_thread_connection()
        return super().set_connection_name(name)

    def add_query(self, sql: str, *arguments: Any, **options: Any) -> Any:
        """Send a statement, and note when its session can't serve another node."""
        if changes_session(sql):
            self._changed.add(self.get_thread_identifier())
        try:
            return super().add_query(sql, *arguments, **options)
        except BaseException:
            self._changed.add(self.get_thread_identifier())
            raise

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """dbt-spark's handler; Spark's message reaches the user without its hundred stack frames."""
        try:
            with super().exception_handler(sql):
                yield
        except DbtRuntimeError as error:
            error.msg = without_stack(error.msg)
            raise

    def release(self) -> None:
        """Keep an unchanged session for the next node; close any other."""
        key = self.get_thread_identifier()
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN and key not in self._changed:
            return
        self._changed.discard(key)
        super().release()
