"""Connections: dbt-spark's, with sessions kept between nodes, of the settings that each node asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState, LazyHandle
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.events.types import ConnectionLeftOpenInCleanup
from dbt.adapters.spark.connections import SparkConnectionManager, SparkConnectionMethod
from dbt_common.events.functions import fire_event
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from dbt.adapters.penstock import cancellation, error_messages, spark_conf
from dbt.adapters.penstock.connection_handle import PenstockHandle
from dbt.adapters.penstock.describe_cache import DescriptionCache
from dbt.adapters.penstock.query_comment import NodeFirst
from dbt.adapters.penstock.sessions import Session, managed_server, open_session, running_server
from dbt.adapters.penstock.statement_text import changes, overtaken
from penstock.delta.conflicts import retry_on_conflict

__all__ = ["PenstockConnectionManager", "managed_server"]

logger = AdapterLogger("penstock")


class PenstockConnectionManager(SparkConnectionManager):
    """dbt-spark's connection manager over the project's own server, or a remote one.

    dbt opens and closes a session for every node. A session costs about a tenth of a second of the
    server, much of it under a lock that all share, so one that no statement changed serves the
    next node of its thread that wants the same settings; a changed one, or one that met an error,
    is closed as dbt would.
    """

    TYPE = "penstock"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        cancellation.begin_command()
        self._conf: dict[Any, dict[str, str]] = {}
        self.descriptions = DescriptionCache()

    def set_query_header(self, query_header_context: dict[str, Any]) -> None:
        """Have statements begin with the node they are of."""
        self.query_header = NodeFirst(self.profile, query_header_context)

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open a session with the connection's settings. ODBC and in-process sessions are dbt-spark's own."""
        credentials = connection.credentials
        if connection.state == ConnectionState.OPEN:
            return connection
        reopen: Callable[[], Session]
        if credentials.method == SparkConnectionMethod.THRIFT:
            reopen = partial(open_session, credentials)
        elif credentials.method == SparkConnectionMethod.HTTP:
            reopen = partial(cls._open_http, connection)
        else:
            return super().open(connection)
        limits = (credentials.poll_interval, credentials.query_timeout, credentials.query_retries)
        connection.handle = PenstockHandle(reopen, *limits)
        connection.state = ConnectionState.OPEN
        return connection

    @classmethod
    def _open_http(cls, connection: Connection) -> Session:
        """A session as dbt-spark opens it over HTTP."""

        def connect() -> Any:
            opened = copy(connection)
            opened.state = ConnectionState.INIT
            return super(PenstockConnectionManager, cls).open(opened).handle.handle

        def beside(ask: Callable[[Any], object]) -> None:
            other = connect()
            try:
                ask(other.client)
            finally:
                other.close()

        return Session(connect(), beside, connection.credentials.connect_timeout)

    def set_connection_name(self, name: str | None = None) -> Connection:
        """Take over this thread's session, unless its server is no longer the one that runs."""
        cancellation.require_running()
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN:
            session = getattr(connection.handle, "session", None)
            if session and session.server and running_server(connection.credentials) != session.server:
                self.clear_thread_connection()
        return super().set_connection_name(name)

    def use_conf(self, conf: dict[str, str]) -> None:
        """From its next statement on this thread needs a session with these settings."""
        self._conf[self.get_thread_identifier()] = conf

    @property
    def conf(self) -> dict[str, str]:
        """The settings that this thread's session needs beyond the profile's."""
        return self._conf.get(self.get_thread_identifier(), {})

    def _fit(self, connection: Connection) -> None:
        """Give a connection a session with the settings that its thread needs, unless it has one."""
        conf = self.conf
        wanted = self.profile.credentials.with_conf(conf)
        if connection.credentials.server_side_parameters == wanted.server_side_parameters:
            return
        self.close(connection)
        connection.credentials = wanted
        connection.state = ConnectionState.INIT
        try:
            self.open(connection)
            if conf and wanted.method == SparkConnectionMethod.THRIFT:
                assert connection.handle
                spark_conf.check(conf, (str(wanted.host), wanted.port), connection.handle.rows)
        except BaseException:
            # The next statement is to meet the same, not a session that nobody checked.
            self.close(connection)
            connection.credentials, connection.state = self.profile.credentials, ConnectionState.INIT
            connection.handle = LazyHandle(self.open)
            raise

    def add_query(self, sql: str, *arguments: Any, **options: Any) -> Any:
        """Send a statement, with dbt's comment that names its node, in a session that fits it."""
        connection = self.get_thread_connection()
        self._fit(connection)
        # Opened by now: the end of dbt either finds the handle and closes it, or is seen here.
        assert connection.handle
        try:
            cancellation.require_running()
        except DbtRuntimeError:
            connection.handle.close()
            raise
        send = partial(super().add_query, self._commented(sql), *arguments, **options)
        # Two runs of a project replace the same seeds, tables and views: whoever comes second does it again.
        with self.descriptions.changing(changes(sql)):
            return retry_on_conflict(send, is_retryable=lambda error: overtaken(sql, str(error)))

    def _commented(self, sql: str) -> str:
        """The statement with dbt's comment, which Spark's UI shows; some macros leave it out."""
        comment = self.query_header and self.query_header.comment.query_comment
        return self._add_query_comment(sql) if comment and comment.strip() not in sql else sql

    def get_thread_connection(self) -> Connection:
        """This thread's connection, unless dbt has ended and closed it."""
        cancellation.require_running()
        return super().get_thread_connection()

    def cancel_open(self) -> list[str]:
        """End what the other threads run, on the server; connections not yet open are not opened for it."""
        cancellation.end_node_threads(cancellation.CANCELLED)
        own = self.get_thread_identifier()
        with self.lock:
            others = [item for key, item in self.thread_connections.items() if key != own]
        # Not `handle`, which opens one that isn't open.
        running = [item for item in others if item.state == ConnectionState.OPEN and item._handle]
        cancellation.at_once([item._handle.cancel for item in running], self._patience)
        return [item.name or "" for item in running]

    def cleanup_all(self) -> None:
        """Close all sessions at the end of dbt, also those in which a node thread's statement still runs."""
        cancellation.end_node_threads(cancellation.ENDED)
        with self.lock:
            left = list(self.thread_connections.values())
            self.thread_connections.clear()
        for item in left:
            fire_event(ConnectionLeftOpenInCleanup(conn_name=item.name or ""))
            if not isinstance(item._handle, PenstockHandle):
                self.close(item)
        ours = [item._handle.close for item in left if isinstance(item._handle, PenstockHandle)]
        cancellation.at_once(ours, self._patience)

    @property
    def _patience(self) -> float:
        """Seconds that a server may take to end what runs on it: to connect, to greet and to answer."""
        return 3 * float(self.profile.credentials.connect_timeout)

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """Spark's message reaches the user without its hundred stack frames."""
        try:
            yield
        except DbtRuntimeError as error:
            error.msg = error_messages.without_stack(error.msg)
            raise
        except Exception as error:
            raise DbtDatabaseError(error_messages.of_error(error)) from error

    def release(self) -> None:
        """Keep an unchanged session for the next node; close any other."""
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN and getattr(connection.handle, "reusable", False):
            return
        super().release()
