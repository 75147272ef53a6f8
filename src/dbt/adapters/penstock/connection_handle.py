"""dbt's handle of a session: run and cancel statements, and repeat a statement after a lost connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.connections import PyhiveConnectionWrapper
from dbt_common.exceptions import DbtRuntimeError
from pyhive.exc import Error as HiveError
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import error_messages
from dbt.adapters.penstock.cancellation import CANCELLED, ENDED
from dbt.adapters.penstock.errors import StatementError, StatementFailed
from dbt.adapters.penstock.sent_statement import SentStatement, TimeLimit, shorter_limit
from dbt.adapters.penstock.sessions import OpenSession
from dbt.adapters.penstock.socket_ownership import SocketUse
from dbt.adapters.penstock.statement_text import changes_session, reads_only, without_last_semicolons

logger = AdapterLogger("penstock")
LOST = (TTransportException, EOFError, OSError)
FAILED = (HiveError, StatementFailed)
T = TypeVar("T")


class PenstockHandle(PyhiveConnectionWrapper):
    """dbt-spark's wrapper of a connection, with penstock's rules for lost connections.

    If the connection is lost during a statement that only reads, the handle sends the statement again in a new session,
    unless an earlier statement changed the old session. A statement that writes is never sent twice: if the connection
    is lost during such a statement, the error says that the outcome is unknown. Only one thread runs statements. Any
    thread may call `cancel` or `close`.

    Args:
        reopen: opens a session. The handle calls this function at the beginning and after a lost connection.
        poll_interval: the longest pause between two polls, in seconds. There are pauses only if a Thrift server answers
            polls immediately.
        query_timeout: the longest duration of a statement, in seconds, or None for no limit.
        query_retries: how often the handle sends a statement again if the statement only reads.
    """

    handle: Any
    _cursor: Any

    def __init__(
        self,
        reopen: Callable[[], OpenSession],
        poll_interval: float = 0.5,
        query_timeout: int | None = None,
        query_retries: int = 1,
    ) -> None:
        self._reopen = reopen
        self.session = reopen()
        super().__init__(self.session.connection, query_timeout=query_timeout, query_retries=query_retries)
        self.poll_interval = poll_interval  # type: ignore[assignment]
        self.reusable, self._broken = True, False
        self.limit: TimeLimit | None = None
        self._use = SocketUse()
        self._closing = threading.Lock()
        self._abandoned = False
        self._sent = SentStatement(self.session)
        self._retries = 0
        self._sql: str = ""
        self._bindings: list[Any] | None = None

    def cursor(self) -> PenstockHandle:
        """Close the last statement on the server, and return a cursor for the next statement."""
        with self._reserved_socket():
            if self._cursor:
                try:
                    self._cursor.close()
                except LOST as error:
                    # The next statement was not sent yet, so a new session can run even a statement that writes.
                    if not self.reusable:
                        self._broken = True
                        raise error_messages.session_lost(error) from None
                    self._renew()
                except HiveError as error:
                    logger.debug(f"closing an operation: {error_messages.error_message(error)}")
            self._cursor = self.handle.cursor()
        return self

    def execute(self, sql: str, bindings: list[Any] | None = None) -> None:
        """Run a statement until it ends.

        Raises:
            DbtDatabaseError: the statement failed, or the connection was lost.
            DbtRuntimeError: the statement was cancelled by `query_timeout`, an interrupt or the end of dbt.
        """
        text = without_last_semicolons(sql.strip())
        self._sql = text
        self._bindings = None if bindings is None else [self._fix_binding(value) for value in bindings]
        self._retries = self.query_retries if self.reusable and reads_only(text) else 0
        if changes_session(text):
            self.reusable = False
        self._retried(self._run, send=False)

    def fetchall(self) -> list[Any]:
        """Return all rows of the last statement."""
        return self._retried(lambda: list(self._cursor.fetchall()), send=True)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows of the last statement."""
        self._retries = 0  # earlier rows were already returned, so the statement can't be repeated
        return self._retried(lambda: list(self._cursor.fetchmany(size)), send=True)

    @property
    def description(self) -> Any:
        """The columns of the last statement's result, or None if the statement has no result."""
        return self._retried(lambda: self._cursor.description, send=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a short auxiliary statement. The caller must leave the session's settings unchanged."""
        with self._reserved_socket():
            try:
                cursor = self.handle.cursor()
                cursor.execute(sql)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                cursor.close()
                return rows
            except LOST as error:
                self._broken = True
                raise error_messages.read_lost(error) from None

    def cancel(self) -> None:
        """Cancel the running statement from another thread, and refuse all later statements."""
        self._end(CANCELLED)

    def close(self) -> None:
        """Close the session from any thread, and end the session's running statement. The handle can't be used again.

        If the connection was lost, the session needs no request: the server itself ends the session.
        """
        if not self._closing.acquire(blocking=False):
            return  # the session is closed already, or another thread is closing it
        try:
            if not self._end(ENDED):
                return
            self._sent.settle()
            if not self._broken and not self._sent.lost:
                self.session.close(self._cursor)
            elif self._sent.cancelled:
                self.session.end(self._sent.operation)
        except Exception as error:
            logger.debug(f"closing a session: {type(error).__name__}: {error}")
        finally:
            if not self._abandoned:
                self.session.abandon()

    def _end(self, why: str) -> bool:
        """Refuse all later requests, stop a running statement, and return whether the socket is free."""
        if not self._use.end(why):
            return True
        self._sent.stop(why)
        if self._use.wait_until_free(self.session.seconds):
            return True
        self._abandoned = True
        self.session.wake()
        return False

    @contextmanager
    def _reserved_socket(self) -> Iterator[None]:
        """Reserve the socket for the calling thread during the `with` block.

        Raises:
            DbtRuntimeError: `cancel` or `close` ended the session. The message is the reason.
            DbtDatabaseError: a statement in the `with` block failed.
        """
        with self._use:
            try:
                yield
            except DbtRuntimeError:
                self.reusable = False
                self._use.require()
                raise
            except FAILED as error:
                self.reusable = False
                self._use.require()
                message = error_messages.statement_message(error_messages.error_message(error), self._sql)
                raise StatementError(message) from None
            except Exception:
                self.reusable, self._broken = False, True
                self._use.require()
                raise
            except BaseException:
                # After an interrupt in this thread, the socket may contain half an answer.
                self.reusable, self._broken = False, True
                self._sent.stop(CANCELLED)
                raise
            finally:
                if self._abandoned:
                    # The closing thread no longer waits, so the thread of the statement closes the connection.
                    self.session.abandon()

    def _retried(self, action: Callable[[], T], send: bool) -> T:
        """Run an action on the statement. After a lost connection, repeat the action in a new session if that is safe.

        Args:
            action: sends the statement, or fetches rows of the statement's result.
            send: whether to send the statement again before the action is repeated.
        """
        again = False
        with self._reserved_socket():
            while True:
                try:
                    if again and send:
                        self._run()
                    return action()
                except LOST as error:
                    self.reusable, self._broken = False, True
                    self._use.require()
                    if self._sent.stopped:
                        raise DbtRuntimeError(self._sent.stopped) from None
                    if not reads_only(self._sql):
                        raise error_messages.unknown_outcome(self._sql, error) from None
                    if not self._retries:
                        raise error_messages.read_lost(error) from None
                    self._retries -= 1
                    logger.info("connection lost; the statement only reads and is sent again on a new session")
                    self._renew()
                    again = True

    def _renew(self) -> None:
        """Replace the lost session with a new session, unless the handle was closed."""
        self._use.require()
        self.session.abandon()
        if self._sent.operation is not None:
            # The statement is sent again, so nothing needs the first operation.
            with suppress(Exception):
                self.session.end(self._sent.operation)
        session = self._reopen()
        if self._use.over:
            with suppress(Exception):
                session.close(None)
            self._use.require()
        self.session, self._sent = session, SentStatement(session)
        self.handle, self.reusable, self._broken = session.connection, True, False
        self._cursor = self.handle.cursor()

    def _run(self) -> None:
        """Send the statement and wait until it ends."""
        cursor, sent = self._cursor, SentStatement(self.session)
        self._sent = sent
        with sent.limited(shorter_limit(self.limit, self.query_timeout)):
            sent.operation = self.session.start(cursor, self._sql, self._bindings)
            if sent.stopped or self._use.over:  # stopped before the operation was known
                sent.cancel()
            failure = self.session.wait(cursor, sent.operation, self.poll_interval, self._use.woken.wait)
        self._use.require()
        if failure is None:
            return
        if sent.stopped:
            raise DbtRuntimeError(sent.stopped)
        raise StatementError(error_messages.statement_message(error_messages.clean_message(failure), self._sql))
