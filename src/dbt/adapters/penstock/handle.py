"""One Thrift session as dbt uses it: statements run, cancelled, and sent again only where that is safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.connections import PyhiveConnectionWrapper
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyhive.exc import Error as HiveError
from TCLIService.ttypes import TOperationState
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import messages
from dbt.adapters.penstock.polling import until_ended
from dbt.adapters.penstock.sessions import Session
from dbt.adapters.penstock.statements import changes_session, reads_only, without_last_semicolons

logger = AdapterLogger("penstock")
LOST = (TTransportException, EOFError, OSError)
CANCELLED = "cancelled: dbt was interrupted"
T = TypeVar("T")


class PenstockHandle(PyhiveConnectionWrapper):
    """dbt-spark's wrapper of a PyHive connection, with penstock's rules for what goes wrong.

    A statement whose connection is lost is sent again, on a new session, only when it reads and
    nothing was left in the old session. One that writes is never sent twice: its error says so.

    Args:
        reopen: opens a session; called again after a lost connection.
        poll_interval: the longest pause between polls that are answered at once, in seconds.
        query_timeout: a statement is cancelled after so many seconds; None for no limit.
        query_retries: how often a statement that only reads is sent again.
    """

    handle: Any
    _cursor: Any

    def __init__(
        self,
        reopen: Callable[[], Session],
        poll_interval: float = 0.5,
        query_timeout: int | None = None,
        query_retries: int = 1,
    ) -> None:
        self._reopen = reopen
        self.session = reopen()
        super().__init__(self.session.connection, query_timeout=query_timeout, query_retries=query_retries)
        self.poll_interval = poll_interval  # type: ignore[assignment]
        self.reusable = True
        self._broken = False
        self._interrupted = False
        self._stopped: str | None = None
        self._running = False
        self._retries = 0
        self._sql: str = ""
        self._bindings: list[Any] | None = None

    def cursor(self) -> PenstockHandle:
        """A cursor for the next statement; what the server kept for the last one is let go."""
        if self._cursor:
            try:
                self._cursor.close()
            except LOST as error:
                # Nothing of the next statement was sent yet: any may go to a new session.
                if not self.reusable:
                    self._broken = True
                    raise messages.session_lost(error) from None
                self._renew()
            except HiveError as error:
                logger.debug(f"closing an operation: {messages.of_error(error)}")
        self._cursor = self.handle.cursor()
        return self

    def execute(self, sql: str, bindings: list[Any] | None = None) -> None:
        """Run a statement to its end.

        Raises:
            DbtDatabaseError: Spark's error, or a lost connection with what is known of the outcome.
            DbtRuntimeError: cancelled, by `query_timeout` or by an interrupt.
        """
        text = without_last_semicolons(sql.strip())
        self._sql = text
        self._bindings = None if bindings is None else [self._fix_binding(value) for value in bindings]
        self._retries = self.query_retries if self.reusable and reads_only(text) else 0
        if changes_session(text):
            self.reusable = False
        self._guarded(self._run, send=False)

    def fetchall(self) -> list[Any]:
        """All rows of the last statement."""
        return self._guarded(lambda: list(self._cursor.fetchall()), send=True)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows of the last statement."""
        self._retries = 0  # rows before these were already handed out
        return self._guarded(lambda: list(self._cursor.fetchmany(size)), send=True)

    @property
    def description(self) -> Any:
        """The columns of the last statement's result; None when it has none."""
        return self._guarded(lambda: self._cursor.description, send=True)

    def cancel(self) -> None:
        """End the running statement on the server, from another thread; none is sent after it."""
        self._interrupted = True
        self._stop(CANCELLED)

    def close(self) -> None:
        """Close the session; one that can't be reached any more is the server's to end."""
        try:
            if self._broken:
                self.handle._transport.close()
            else:
                self.handle.close()
        except (*LOST, HiveError) as error:
            logger.debug(f"closing a session: {type(error).__name__}: {error}")

    def _guarded(self, action: Callable[[], T], send: bool) -> T:
        """Do something with the statement; after a lost connection, where it is safe, once more from its start.

        Args:
            send: whether the statement has to be sent again before the action is done again.
        """
        again = False
        while True:
            try:
                if again and send:
                    self._run()
                return action()
            except LOST as error:
                self.reusable = False
                self._broken = True
                if self._stopped:
                    raise DbtRuntimeError(self._stopped) from None
                if not reads_only(self._sql):
                    raise messages.unknown_outcome(self._sql, error) from None
                if not self._retries:
                    raise messages.not_answered(error) from None
                self._retries -= 1
                logger.info("connection lost; the statement only reads and is sent again on a new session")
                self._renew()
                again = True
            except HiveError as error:
                self.reusable = False
                raise DbtDatabaseError(messages.of_statement(messages.of_error(error), self._sql)) from None
            except DbtRuntimeError:
                self.reusable = False
                raise
            except BaseException:
                # An interrupt in this very thread: the socket may hold half an answer.
                self.reusable = False
                self._broken = True
                self._stop(CANCELLED)
                raise
            finally:
                self._running = False

    def _renew(self) -> None:
        """Go on with a new session in place of the lost one."""
        with suppress(*LOST):
            self.handle._transport.close()
        self.session = self._reopen()
        self.handle, self.reusable, self._broken = self.session.connection, True, False
        self._cursor = self.handle.cursor()

    def _run(self) -> None:
        """Send the statement and wait for its end."""
        if self._interrupted:
            raise DbtRuntimeError(CANCELLED)
        cursor = self._cursor
        with self._limited():
            self._running = True
            cursor.execute(self._sql, self._bindings, async_=True)
            if self._stopped:  # before the server had named the operation
                self._cancel_operation()
            status = until_ended(cursor.poll, self.poll_interval)
            self._running = False
        state = status.operationState
        if state == TOperationState.FINISHED_STATE and not self._interrupted:
            return
        if self._stopped:
            raise DbtRuntimeError(self._stopped)
        name = TOperationState._VALUES_TO_NAMES.get(state, state)
        words = status.errorMessage or f"the statement ended as {name}: it was cancelled on the server"
        raise DbtDatabaseError(messages.of_statement(messages.plain(words), self._sql))

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Within this, a statement is stopped after `query_timeout` seconds."""
        self._stopped = CANCELLED if self._interrupted else None
        if not self.query_timeout:
            yield
            return
        words = (
            f"Query exceeded timeout of {self.query_timeout} seconds (query_timeout in profiles.yml) "
            "and was cancelled on the server"
        )
        timer = threading.Timer(self.query_timeout, self._stop, (words,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _stop(self, why: str) -> None:
        """Stop the running statement, if there is one; from any thread."""
        self._stopped = why
        if self._running:
            self._cancel_operation()

    def _cancel_operation(self) -> None:
        operation = getattr(self._cursor, "_operationHandle", None)
        if operation is None:
            return
        try:
            self.session.cancel(operation)
        except Exception as error:
            # The statement's own thread must not wait for an answer that may never come.
            logger.warning(f"could not cancel the running statement on the server: {messages.of_error(error)}")
            self._broken = True
            with suppress(*LOST, AttributeError):
                self.handle._transport.close()
