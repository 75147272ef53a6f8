"""dbt's connection manager. It opens sessions with the nodes' settings, and reuses sessions between nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState, LazyHandle
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.events.types import ConnectionLeftOpenInCleanup
from dbt.adapters.spark.connections import SparkConnectionManager
from dbt_common.events.functions import fire_event
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

from dbt.adapters.penstock import cancellation, error_messages, spark_conf
from dbt.adapters.penstock.connection_handle import PenstockHandle
from dbt.adapters.penstock.credentials import ConnectionMethod
from dbt.adapters.penstock.describe_cache import DescriptionCache
from dbt.adapters.penstock.query_comment import NodeFirst
from dbt.adapters.penstock.sent_statement import TimeLimit
from dbt.adapters.penstock.sessions import OpenSession, Session, managed_server, open_session, running_server
from dbt.adapters.penstock.statement_text import changed_relations, was_replaced_by_another_run
from penstock.delta.conflicts import retry_on_conflict

__all__ = ["PenstockConnectionManager", "managed_server"]

logger = AdapterLogger("penstock")


class PenstockConnectionManager(SparkConnectionManager):
    """dbt-spark's connection manager for the project's own server or a remote server.

    By default dbt opens and closes a session for every node. To open and close a session, the server needs about a
    tenth of a second, and it holds a global lock for much of this time. So a thread keeps its session for its next
    node, if no statement has changed the session and the next node needs the same settings. A session that was changed,
    or in which a statement failed, is closed.
    """

    TYPE = "penstock"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        cancellation.begin_command()
        self._conf: dict[Any, dict[str, str]] = {}
        self._limits: dict[Any, TimeLimit] = {}
        self.descriptions = DescriptionCache()

    def set_query_header(self, query_header_context: dict[str, Any]) -> None:
        """Set dbt's query comment. The default comment begins with the node's id."""
        self.query_header = NodeFirst(self.profile, query_header_context)

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Open a session with the connection's settings. For the methods `odbc` and `session`, call dbt-spark."""
        credentials = connection.credentials
        if connection.state == ConnectionState.OPEN:
            return connection
        reopen: Callable[[], OpenSession]
        if credentials.method == ConnectionMethod.THRIFT:
            reopen = partial(open_session, credentials)
        elif credentials.method == ConnectionMethod.CONNECT:
            # The import is here because it imports pyarrow and gRPC, which takes a second. SQL over Thrift needs
            # neither.
            from dbt.adapters.penstock import connect_opening

            reopen = partial(connect_opening.open_session, credentials)
        elif credentials.method == ConnectionMethod.HTTP:
            reopen = partial(cls._open_http, connection)
        else:
            return super().open(connection)
        limits = (credentials.poll_interval, credentials.query_timeout, credentials.query_retries)
        connection.handle = PenstockHandle(reopen, *limits)
        connection.state = ConnectionState.OPEN
        return connection

    @classmethod
    def _open_http(cls, connection: Connection) -> Session:
        """Open a session over HTTP with dbt-spark's code, and return the session."""

        def connect() -> Any:
            opened = copy(connection)
            opened.state = ConnectionState.INIT
            return super(PenstockConnectionManager, cls).open(opened).handle.handle

        def send_separately(request: Callable[[Any], object]) -> None:
            other = connect()
            try:
                request(other.client)
            finally:
                other.close()

        return Session(connect(), send_separately, connection.credentials.connect_timeout)

    def set_connection_name(self, name: str | None = None) -> Connection:
        """Reuse this thread's session, unless the session's server has been replaced by a new server since."""
        cancellation.require_running()
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN:
            session = getattr(connection.handle, "session", None)
            if session and session.server and running_server(connection.credentials) != session.server:
                self.clear_thread_connection()
        return super().set_connection_name(name)

    def use_conf(self, conf: dict[str, str]) -> None:
        """Use these session settings for all later statements of this thread."""
        self._conf[self.get_thread_identifier()] = conf

    @property
    def conf(self) -> dict[str, str]:
        """The session settings that this thread needs in addition to the profile's settings."""
        return self._conf.get(self.get_thread_identifier(), {})

    @contextmanager
    def time_limit(self, limit: TimeLimit) -> Iterator[None]:
        """Limit the duration of each statement that this thread sends during the `with` block.

        After a statement was cancelled because of the limit, the thread can send further statements. If the session was
        lost, the next statement gets a new session, unless an earlier statement changed the lost session.
        """
        thread = self.get_thread_identifier()
        handle = self._own_handle()
        reusable = handle is None or handle.reusable
        self._limits[thread] = limit
        try:
            yield
        finally:
            del self._limits[thread]
            after = self._own_handle()
            if after is not None:
                after.limit = None
                after.reusable = after.reusable or (limit.exceeded and reusable)

    def _own_handle(self) -> PenstockHandle | None:
        """Return the handle of this thread's open session, or None if the thread has no open session."""
        handle = getattr(self.get_if_exists(), "_handle", None)
        return handle if isinstance(handle, PenstockHandle) else None

    def _use_matching_session(self, connection: Connection) -> None:
        """Replace a connection's session, unless the session already has the settings that this thread needs."""
        conf = self.conf
        wanted = self.profile.credentials.with_conf(conf)
        if connection.credentials.server_side_parameters == wanted.server_side_parameters:
            return
        self.close(connection)
        connection.credentials = wanted
        connection.state = ConnectionState.INIT
        try:
            self.open(connection)
            if conf and wanted.method in (ConnectionMethod.THRIFT, ConnectionMethod.CONNECT):
                assert connection.handle
                spark_conf.check(conf, (str(wanted.host), wanted.port), connection.handle.rows)
        except BaseException:
            # The next statement must not use a session whose settings were not checked.
            self.close(connection)
            connection.credentials, connection.state = self.profile.credentials, ConnectionState.INIT
            connection.handle = LazyHandle(self.open)
            raise

    def add_query(self, sql: str, *arguments: Any, **options: Any) -> Any:
        """Send a statement with dbt's query comment, in a session with the node's settings."""
        connection = self.get_thread_connection()
        self._use_matching_session(connection)
        # dbt may have ended while this thread opened the handle. Then either `cleanup_all` or the code below closes the
        # handle.
        assert connection.handle
        if isinstance(connection.handle, PenstockHandle):
            connection.handle.limit = self._limits.get(self.get_thread_identifier())
        try:
            cancellation.require_running()
        except DbtRuntimeError:
            connection.handle.close()
            raise
        send = partial(super().add_query, self._commented(sql), *arguments, **options)
        # Two runs of a project may replace the same seed, table or view at the same time. The run that fails sends its
        # statement again.
        with self.descriptions.changing(changed_relations(sql)):
            return retry_on_conflict(send, is_retryable=lambda error: was_replaced_by_another_run(sql, str(error)))

    def _commented(self, sql: str) -> str:
        """Return a statement with dbt's query comment for Spark's UI. Some macros leave out the comment."""
        comment = self.query_header and self.query_header.comment.query_comment
        return self._add_query_comment(sql) if comment and comment.strip() not in sql else sql

    def get_thread_connection(self) -> Connection:
        """Return this thread's connection.

        Raises:
            DbtRuntimeError: the thread's dbt command has ended or was interrupted.
        """
        cancellation.require_running()
        return super().get_thread_connection()

    def cancel_open(self) -> list[str]:
        """Cancel the statements that other threads run on the server, and return the names of the connections."""
        cancellation.end_node_threads(cancellation.CANCELLED)
        own = self.get_thread_identifier()
        with self.lock:
            others = [item for key, item in self.thread_connections.items() if key != own]
        # The property `handle` would open a connection that is not open, so read `_handle`.
        running = [item for item in others if item.state == ConnectionState.OPEN and item._handle]
        cancellation.run_concurrently([item._handle.cancel for item in running], self._end_seconds)
        return [item.name or "" for item in running]

    def cleanup_all(self) -> None:
        """Close all sessions at the end of dbt, even sessions in which a statement still runs."""
        cancellation.end_node_threads(cancellation.ENDED)
        with self.lock:
            remaining = list(self.thread_connections.values())
            self.thread_connections.clear()
        for item in remaining:
            fire_event(ConnectionLeftOpenInCleanup(conn_name=item.name or ""))
            if not isinstance(item._handle, PenstockHandle):
                self.close(item)
        ours = [item._handle.close for item in remaining if isinstance(item._handle, PenstockHandle)]
        cancellation.run_concurrently(ours, self._end_seconds)

    @property
    def _end_seconds(self) -> float:
        """The longest time, in seconds, that the server may take to end a statement.

        There are three steps: connecting, logging in and answering. Each step may take `connect_timeout` seconds.
        """
        return 3 * float(self.profile.credentials.connect_timeout)

    @contextmanager
    def exception_handler(self, sql: str) -> Iterator[None]:
        """Remove Spark's stack traces from the errors that the block raises."""
        try:
            yield
        except DbtRuntimeError as error:
            error.msg = error_messages.without_stack(error.msg)
            raise
        except Exception as error:
            raise DbtDatabaseError(error_messages.error_message(error)) from error

    def release(self) -> None:
        """Keep the session for the next node if the session is reusable. Otherwise close the session."""
        connection = self.get_if_exists()
        if connection and connection.state == ConnectionState.OPEN and getattr(connection.handle, "reusable", False):
            return
        super().release()
