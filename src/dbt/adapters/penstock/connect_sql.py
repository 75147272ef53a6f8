"""A session for SQL over Spark Connect (`method: connect`), which runs and cancels statements."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dbt.adapters.penstock import arrow_rows, cancellation, connect_errors
from dbt.adapters.penstock.errors import ConnectionLost
from dbt.adapters.penstock.python_submissions import connect_session
from dbt.adapters.penstock.query_comment import job_tags
from dbt.adapters.penstock.statement_text import is_query
from penstock.errors import PenstockError
from penstock.spark.server.record import Record
from penstock.sql.names import string_literal

# A session that was unused for this number of seconds is checked before the next statement, because the server may have
# ended the session.
UNCHECKED_SECONDS = 1.0
# Seconds between two attempts to cancel a statement that the server doesn't know yet.
CANCEL_PAUSE = 0.1
# The smallest age, in seconds, at which a statement is cancelled. A cancellation ends only the jobs that run at that
# moment. If Spark is still planning the statement, the statement would start a job afterwards, which nothing could
# cancel.
YOUNGEST = 1.0


@dataclass
class _Statement:
    """A statement that was started.

    Attributes:
        sql: the text.
        sent: when the statement was sent, in seconds of the monotonic clock. None if the statement was not sent yet.
        cancelled: whether the statement was cancelled before it was sent.
    """

    sql: str
    sent: float | None = None
    cancelled: bool = False


class ConnectCursor:
    """The last statement of a session and the statement's result, with the methods of PyHive's cursor.

    Attributes:
        description: the columns of the result, or None before the statement has ended.
    """

    def __init__(self, session: ConnectSession) -> None:
        self._session = session
        self._rows: list[tuple[Any, ...]] = []
        self.description: arrow_rows.Description | None = None

    def execute(self, sql: str) -> None:
        """Run a statement until it ends.

        Raises:
            PenstockError: the statement failed, or the connection was lost.
        """
        try:
            failure = self._session.wait(self, self._session.start(self, sql, None), 0, time.sleep)
        except ConnectionLost as error:
            failure = str(error)
        if failure is not None:
            raise PenstockError("an answer to a statement", failure.splitlines()[0], "see the server's log")

    def set_result(self, schema: Any, batches: Iterable[Any]) -> None:
        """Set the result of the statement, an Arrow schema and its record batches."""
        self.description = arrow_rows.description(schema)
        self._rows = arrow_rows.rows(batches)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that were not returned yet."""
        return self.fetchmany(len(self._rows))

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next rows. Without a size, return one row."""
        count = 1 if size is None else size
        found, self._rows = self._rows[:count], self._rows[count:]
        return found

    def close(self) -> None:
        """Check that the session still exists, since the next statement is sent in the same session."""
        self._session.check()


class ConnectSession:
    """A session of one thread. Other threads may call `cancel`, `end` and `wake`.

    This class has the methods of `sessions.Session`.

    Args:
        client: pyspark's client of the session.
        address: the server's address. It contains a token, which error messages must not show.
        seconds: the longest time, in seconds, that the server may take to cancel a statement or to close the session.
        server: the project's own server, or None for a remote server.
    """

    def __init__(self, client: Any, address: str, seconds: float, server: Record | None) -> None:
        self.client, self.seconds, self.server = client, seconds, server
        self._address = address
        self._statements: dict[str, _Statement] = {}
        self._lock = threading.Lock()
        self._last_answer = time.monotonic()

    @property
    def connection(self) -> ConnectSession:
        """The object that creates cursors: the session itself."""
        return self

    def cursor(self) -> ConnectCursor:
        """Return a cursor for the next statement."""
        return ConnectCursor(self)

    def start(self, cursor: ConnectCursor, sql: str, bindings: list[Any] | None) -> str:
        """Return a tag for a statement, by which another thread can cancel the statement. `wait` sends the statement.

        Args:
            bindings: the values of the statement's placeholders `%s`, or None for a statement without placeholders.
        """
        tag = f"penstock-{uuid.uuid4()}"
        text = sql if bindings is None else sql % tuple(_literal(value) for value in bindings)
        self._statements[tag] = _Statement(text)
        return tag

    def wait(self, cursor: ConnectCursor, operation: str, pause: float, sleep: Callable[[float], object]) -> str | None:
        """Run a statement until it ends. If the statement failed, return its error message, and otherwise None.

        The server sends the result when the statement ends, so there are no polls and no pauses.

        Raises:
            ConnectionLost: the connection was lost.
        """
        statement = self._statements[operation]
        try:
            with self._lock:
                if statement.cancelled:
                    return "the statement was cancelled before it was sent"
                statement.sent = time.monotonic()
            for tag in (operation, *job_tags(statement.sql)):
                self.client.add_tag(tag)
            cursor.set_result(*self._result(statement.sql))
        except Exception as error:
            failure = self._translated(error)
            if isinstance(failure, ConnectionLost):
                raise failure from None
            return str(failure)
        finally:
            del self._statements[operation]
            self.client.clear_tags()
        self._last_answer = time.monotonic()
        return None

    def _result(self, sql: str) -> tuple[Any, Iterable[Any]]:
        """Send a statement, and return the Arrow schema and the record batches of the statement's result."""
        import pyarrow as pa
        from pyspark.sql.connect.proto import Command, Plan, Relation

        relation = Relation()
        relation.sql.query = sql
        if not is_query(sql):
            _, properties, _ = self.client.execute_command(Command(sql_command={"input": relation}))
            relation = properties["sql_command_result"]
            if relation.WhichOneof("rel_type") == "local_relation":
                # The server has already run the statement, and `local_relation` is the result.
                table = pa.ipc.open_stream(relation.local_relation.data).read_all()
                return table.schema, table.to_batches()
        table, _, _ = self.client.to_table(Plan(root=relation), {})
        return table.schema, table.to_batches()

    def _translated(self, error: BaseException) -> Exception:
        translated = connect_errors.translated(error)
        text = connect_session.without_token(str(translated), self._address)
        return type(translated)(text)

    def check(self) -> None:
        """Check that the server still has the session, unless the session was used in the last `UNCHECKED_SECONDS`.

        Raises:
            ConnectionLost: the server doesn't answer, or it has ended the session.
        """
        if time.monotonic() - self._last_answer < UNCHECKED_SECONDS:
            return
        try:
            self.client.get_configs("spark.sql.session.timeZone")
        except Exception as error:
            raise ConnectionLost(str(self._translated(error))) from None
        self._last_answer = time.monotonic()

    def cancel(self, operation: str) -> None:
        """Cancel a statement by its tag.

        Raises:
            TimeoutError: the server did not cancel the statement in time.
        """
        statement = self._statements.get(operation)
        if statement is None:
            return
        with self._lock:
            if statement.sent is None:
                statement.cancelled = True
                return
        age = time.monotonic() - statement.sent
        ended: list[bool] = []
        deadline = time.monotonic() + self.seconds

        def interrupt() -> None:
            time.sleep(max(0.0, YOUNGEST - age))
            # The server can't interrupt a statement that it doesn't know yet, so try again until an attempt succeeds.
            while operation in self._statements and time.monotonic() < deadline:
                if self.client.interrupt_tag(operation):
                    break
                time.sleep(CANCEL_PAUSE)
            ended.append(True)

        cancellation.run_concurrently([interrupt], self.seconds)
        if not ended:
            raise TimeoutError("no answer in time")

    def end(self, operation: str) -> None:
        """End the session on the server, and with it a statement that still runs."""
        cancellation.run_concurrently([self._release], self.seconds)

    def _release(self) -> None:
        with suppress(Exception):
            self.client.release_session()

    def wake(self) -> None:
        """Cut the connection, so that a thread that waits for an answer gets an error."""
        self.abandon()

    def abandon(self) -> None:
        """Close the connection, but not the session on the server."""
        # The client's method `close` would wait until the requests of all other sessions are done.
        self.client._closed = True
        with suppress(Exception):
            self.client._channel.close()

    def close(self, cursor: ConnectCursor | None = None) -> None:
        """Close a session that is not in use."""
        try:
            self.end("")
        finally:
            self.abandon()


def _literal(value: Any) -> str:
    """Return a binding as a SQL literal. dbt-spark has converted each number to a float."""
    return "NULL" if value is None else repr(value) if isinstance(value, float) else string_literal(str(value))
