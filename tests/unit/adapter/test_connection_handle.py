"""Statements on a connection that fails at a given step."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyhive.exc import OperationalError
from TCLIService.ttypes import TOperationState
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock.cancellation import ENDED
from dbt.adapters.penstock.connection_handle import PenstockHandle
from dbt.adapters.penstock.sessions import Session

LOSSES = [TTransportException(4, "TSocket read 0 bytes"), EOFError(), ConnectionResetError(), BrokenPipeError()]


class Server:
    """A server whose sessions fail at some step, so many times: `execute`, `poll`, `fetch` or `close`."""

    def __init__(self, fails: str = "", times: int = 1, error: BaseException | None = None) -> None:
        self.fails, self.times, self.error = fails, times, error or LOSSES[0]
        self.sent: list[str] = []
        self.sessions = self.cancelled = self.closed = 0
        self.refuses = self.waits_on_socket = self.names_nothing = False
        self.socket, self.other_end = socket.socketpair()
        self.answer = SimpleNamespace(operationState=TOperationState.FINISHED_STATE, errorMessage=None)
        self.polled, self.ended = threading.Event(), threading.Event()
        self.ended.set()

    def step(self, name: str) -> None:
        """Fail here if this is the place."""
        if name == self.fails and self.times:
            self.times -= 1
            raise self.error

    def wait_for_socket(self) -> None:
        """For an answer that never comes, until the connection is cut."""
        self.polled.set()
        if not self.socket.recv(1):
            raise TTransportException(4, "TSocket read 0 bytes")

    def open(self) -> Session:
        """A new session."""
        self.sessions += 1
        transport = SimpleNamespace(close=lambda: None, handle=self.socket)
        connection = SimpleNamespace(cursor=lambda: Cursor(self), close=lambda: None, _transport=transport)
        return Session(connection, self.send_separately, seconds=0.5)

    def send_separately(self, ask: Callable[[Any], object]) -> None:
        """Another connection, over which what runs is cancelled."""
        if self.refuses:
            raise ConnectionRefusedError
        ask(SimpleNamespace(CancelOperation=self.end))

    def end(self, request: Any) -> None:
        """Cancel what runs."""
        self.cancelled += 1
        self.answer.operationState = TOperationState.CANCELED_STATE
        self.ended.set()

    def handle(self, **limits: Any) -> PenstockHandle:
        """A handle with a cursor."""
        return PenstockHandle(self.open, **limits).cursor()


class Cursor:
    """As PyHive's."""

    description = (("a",),)

    def __init__(self, server: Server) -> None:
        self.server = server
        self._operationHandle: object = None

    def execute(self, sql: str, bindings: Any, async_: bool) -> None:
        """The server has it, whatever comes of it."""
        self.server.sent.append(sql)
        if self.server.names_nothing:
            self.server.wait_for_socket()
        self.server.step("execute")
        self._operationHandle = object()

    def poll(self) -> Any:
        """Held back until the statement ends."""
        self.server.polled.set()
        self.server.step("poll")
        if self.server.waits_on_socket:
            self.server.wait_for_socket()
        self.server.ended.wait(10)
        return self.server.answer

    def fetchall(self) -> list[Any]:
        """One row."""
        self.server.step("fetch")
        return [(1,)]

    def close(self) -> None:
        """Let the operation go."""
        self.server.step("close")


@pytest.mark.parametrize("error", LOSSES)
@pytest.mark.parametrize("step", ["execute", "poll", "fetch"])
def test_a_statement_that_reads_is_sent_again_on_a_new_session(step: str, error: BaseException) -> None:
    """At every step at which the connection may be lost; the rows are returned once."""
    server = Server(step, error=error)
    handle = server.handle()
    handle.execute("select 1")
    assert handle.fetchall() == [(1,)]
    assert (server.sent, server.sessions) == (["select 1"] * 2, 2)


@pytest.mark.parametrize("error", LOSSES)
@pytest.mark.parametrize("step", ["execute", "poll"])
def test_a_statement_that_writes_is_sent_once(step: str, error: BaseException) -> None:
    """With any value of `query_retries`; the message names the table."""
    server = Server(step, error=error)
    handle = server.handle(query_retries=5)
    with pytest.raises(DbtDatabaseError, match=r"outcome is unknown.*describe history s\.t"):
        handle.execute("insert into s.t select 1;")
    assert (server.sent, server.sessions) == (["insert into s.t select 1"], 1)
    assert not handle.reusable
    handle.close()


def test_a_session_that_was_changed_is_not_replaced() -> None:
    """A new session would lack its temporary views and settings."""
    server = Server("poll", times=0)
    handle = server.handle()
    handle.execute("create temporary view v as select 1")
    server.times = 1
    with pytest.raises(DbtDatabaseError, match="only reads"):
        handle.execute("select * from v")
    assert server.sessions == 1


def test_query_retries_limits_how_often_a_read_is_sent() -> None:
    """`query_retries`."""
    server = Server("poll", times=9)
    with pytest.raises(DbtDatabaseError, match="query_retries"):
        server.handle(query_retries=2).execute("select 1")
    assert server.sent == ["select 1"] * 3


def test_a_connection_lost_between_statements_is_replaced() -> None:
    """The next statement was not sent yet."""
    server = Server("close")
    handle = server.handle()
    handle.execute("insert into t select 1")
    handle.cursor().execute("insert into t select 2")
    assert (server.sent, server.sessions) == (["insert into t select 1", "insert into t select 2"], 2)


def test_a_lost_session_with_settings_is_an_error() -> None:
    """The next statement may depend on them, so it is not sent."""
    server = Server("close")
    handle = server.handle()
    handle.execute("set a = 1")
    with pytest.raises(DbtDatabaseError, match="was not sent"):
        handle.cursor()
    assert server.sent == ["set a = 1"]


@pytest.mark.parametrize("step", ["execute", "fetch"])
def test_an_error_of_spark_has_no_stack_trace(step: str) -> None:
    """The statement is not sent again, and the session is not reused."""
    status = SimpleNamespace(errorMessage="Error running query: [X] j.E: [X] no\n\tat a.b(C)")
    server = Server(step, error=OperationalError(SimpleNamespace(status=status)))
    handle = server.handle()
    with pytest.raises(DbtDatabaseError) as caught:
        handle.execute("select 1")
        handle.fetchall()
    assert caught.value.msg == "[X] no"
    assert (server.sent, handle.reusable) == (["select 1"], False)


def test_an_error_while_polling_has_no_stack_trace() -> None:
    """Spark reports most errors in the answer of a poll."""
    server = Server()
    server.answer.operationState = TOperationState.ERROR_STATE
    server.answer.errorMessage = "HiveSQLException: [X] no\n\tat a.b(C)"
    with pytest.raises(DbtDatabaseError, match=r"no$"):
        server.handle().execute("select 1")


def test_a_statement_over_its_time_limit_is_cancelled_on_the_server() -> None:
    """The message names the limit."""
    server = Server()
    server.ended.clear()
    with pytest.raises(DbtRuntimeError, match="Query exceeded timeout of 1 seconds"):
        server.handle(query_timeout=1).execute("insert into t select 1")
    assert server.cancelled == 1


def test_a_statement_within_its_time_limit_is_not_cancelled() -> None:
    """Each statement has its own time limit."""
    server = Server()
    handle = server.handle(query_timeout=60)
    handle.execute("select 1")
    handle.cursor().execute("select 2")
    assert (server.cancelled, handle.reusable) == (0, True)


def test_an_interrupt_from_another_thread_ends_the_statement() -> None:
    """No statement is sent after it."""
    server = Server()
    server.ended.clear()
    handle = server.handle()

    def interrupt() -> None:
        server.polled.wait(10)
        handle.cancel()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(DbtRuntimeError, match="interrupted"):
        handle.execute("create table t as select 1")
    thread.join()
    with pytest.raises(DbtRuntimeError, match="interrupted"):
        handle.cursor().execute("select 2")
    assert (server.cancelled, len(server.sent)) == (1, 1)


def test_an_interrupt_in_the_thread_of_the_statement_ends_it() -> None:
    """Ctrl-C outside of dbt's threads; the exception is raised again."""
    server = Server("poll", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        server.handle().execute("create table t as select 1")
    assert server.cancelled == 1


def test_an_unreachable_server_does_not_block_a_cancellation() -> None:
    """The statement's connection is cut, so that its thread does not wait forever."""
    server = Server()
    server.refuses, server.waits_on_socket = True, True
    with pytest.raises(DbtRuntimeError, match="exceeded timeout"):
        server.handle(query_timeout=1).execute("select 1")


def test_a_server_that_does_not_answer_does_not_block_the_end_of_dbt() -> None:
    """dbt ends even if the thread of the statement gets no answer."""
    server = Server()
    server.names_nothing = True
    handle = server.handle()
    messages: list[str] = []

    def node() -> None:
        with pytest.raises(DbtRuntimeError) as caught:
            handle.execute("insert into t select 1")
        messages.append(str(caught.value.msg))

    thread = threading.Thread(target=node)
    thread.start()
    server.polled.wait(10)
    handle.close()
    thread.join(10)
    assert (messages, server.sessions) == ([ENDED], 1)


def test_a_closed_handle_sends_nothing_and_opens_nothing() -> None:
    """Its thread may call any method."""
    server = Server("close")
    handle = server.handle()
    handle.execute("select 1")
    handle.close()
    handle.close()
    for use in (handle.cursor, handle.fetchall, lambda: handle.execute("select 2"), lambda: handle.rows("select 3")):
        with pytest.raises(DbtRuntimeError, match="ended"):
            use()
    assert (server.sent, server.sessions) == (["select 1"], 1)


def test_a_session_that_opens_while_dbt_ends_is_closed() -> None:
    """The statement only reads and its connection was lost, so it would have been sent in the new session."""
    server = Server("poll")
    handle = server.handle()
    reopen, opened = server.open, []

    def open_late() -> Session:
        opened.append(reopen())
        closer = threading.Thread(target=handle.close)
        closer.start()
        handle._use.woken.wait(10)
        object.__setattr__(opened[0].connection, "close", lambda: setattr(server, "closed", 1))
        return opened[0]

    handle._reopen = open_late
    with pytest.raises(DbtRuntimeError, match="ended"):
        handle.execute("select 1")
    assert (server.sent, server.closed) == (["select 1"], 1)


def test_a_time_limit_never_ends_the_next_statement() -> None:
    """Its timer may end when the statement has just ended."""
    server = Server()
    handle = server.handle(query_timeout=60)
    handle.execute("select 1")
    first = handle._sent
    handle.cursor().execute("select 2")
    first.stop("too late")
    assert handle.fetchall() == [(1,)]
    assert handle._sent.stopped is None
