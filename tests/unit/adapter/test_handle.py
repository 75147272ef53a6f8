"""What is done with a statement when things go wrong, on a connection that fails where it is told to."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyhive.exc import OperationalError
from TCLIService.ttypes import TOperationState
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock.handle import PenstockHandle
from dbt.adapters.penstock.sessions import Session

LOSSES = [TTransportException(4, "TSocket read 0 bytes"), EOFError(), ConnectionResetError(), BrokenPipeError()]


class Server:
    """A server whose sessions fail at some step, so many times: `execute`, `poll`, `fetch` or `close`."""

    def __init__(self, fails: str = "", times: int = 1, error: BaseException | None = None) -> None:
        self.fails, self.times, self.error = fails, times, error or LOSSES[0]
        self.sent: list[str] = []
        self.sessions = self.cancelled = 0
        self.answer = SimpleNamespace(operationState=TOperationState.FINISHED_STATE, errorMessage=None)
        self.polled, self.ended = threading.Event(), threading.Event()
        self.ended.set()

    def step(self, name: str) -> None:
        """Fail here if this is the place."""
        if name == self.fails and self.times:
            self.times -= 1
            raise self.error

    def open(self) -> Session:
        """A new session."""
        self.sessions += 1
        transport = SimpleNamespace(close=lambda: None)
        return Session(SimpleNamespace(cursor=lambda: Cursor(self), close=lambda: None, _transport=transport), self.end)

    def end(self, operation: Any) -> None:
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
        self.server.step("execute")
        self._operationHandle = object()

    def poll(self) -> Any:
        """Held back until the statement ends."""
        self.server.polled.set()
        self.server.step("poll")
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
    """Wherever the connection was lost; the rows come once."""
    server = Server(step, error=error)
    handle = server.handle()
    handle.execute("select 1")
    assert handle.fetchall() == [(1,)]
    assert (server.sent, server.sessions) == (["select 1"] * 2, 2)


@pytest.mark.parametrize("error", LOSSES)
@pytest.mark.parametrize("step", ["execute", "poll"])
def test_a_statement_that_writes_is_sent_once(step: str, error: BaseException) -> None:
    """Whatever `query_retries` says; the message names the table."""
    server = Server(step, error=error)
    handle = server.handle(query_retries=5)
    with pytest.raises(DbtDatabaseError, match=r"outcome is unknown.*describe history s\.t"):
        handle.execute("insert into s.t select 1;")
    assert (server.sent, server.sessions) == (["insert into s.t select 1"], 1)
    assert not handle.reusable
    handle.close()


def test_a_session_that_was_changed_is_not_replaced() -> None:
    """A temporary view or setting would be missing in a new one."""
    server = Server("poll", times=0)
    handle = server.handle()
    handle.execute("create temporary view v as select 1")
    server.times = 1
    with pytest.raises(DbtDatabaseError, match="only reads"):
        handle.execute("select * from v")
    assert server.sessions == 1


def test_reads_are_sent_again_only_so_often() -> None:
    """`query_retries`."""
    server = Server("poll", times=9)
    with pytest.raises(DbtDatabaseError, match="query_retries"):
        server.handle(query_retries=2).execute("select 1")
    assert server.sent == ["select 1"] * 3


def test_a_connection_lost_between_statements_is_replaced_for_any() -> None:
    """Nothing of the next one was sent yet."""
    server = Server("close")
    handle = server.handle()
    handle.execute("insert into t select 1")
    handle.cursor().execute("insert into t select 2")
    assert (server.sent, server.sessions) == (["insert into t select 1", "insert into t select 2"], 2)


def test_but_not_when_something_was_left_in_it() -> None:
    """The next statement counts on that; it isn't sent."""
    server = Server("close")
    handle = server.handle()
    handle.execute("set a = 1")
    with pytest.raises(DbtDatabaseError, match="was not sent"):
        handle.cursor()
    assert server.sent == ["set a = 1"]


@pytest.mark.parametrize("step", ["execute", "fetch"])
def test_an_error_of_spark_is_its_message(step: str) -> None:
    """Never sent again; and the session isn't kept."""
    status = SimpleNamespace(errorMessage="Error running query: [X] j.E: [X] no\n\tat a.b(C)")
    server = Server(step, error=OperationalError(SimpleNamespace(status=status)))
    handle = server.handle()
    with pytest.raises(DbtDatabaseError) as caught:
        handle.execute("select 1")
        handle.fetchall()
    assert caught.value.msg == "[X] no"
    assert (server.sent, handle.reusable) == (["select 1"], False)


def test_an_error_met_while_polling_has_no_stack_either() -> None:
    """Spark tells of most errors there."""
    server = Server()
    server.answer.operationState = TOperationState.ERROR_STATE
    server.answer.errorMessage = "HiveSQLException: [X] no\n\tat a.b(C)"
    with pytest.raises(DbtDatabaseError, match=r"no$"):
        server.handle().execute("select 1")


def test_a_statement_over_its_time_is_cancelled_on_the_server() -> None:
    """And the message says which limit it was."""
    server = Server()
    server.ended.clear()
    with pytest.raises(DbtRuntimeError, match="Query exceeded timeout of 1 seconds"):
        server.handle(query_timeout=1).execute("insert into t select 1")
    assert server.cancelled == 1


def test_within_its_time_nothing_is_cancelled() -> None:
    """Each statement has its own time."""
    server = Server()
    handle = server.handle(query_timeout=60)
    handle.execute("select 1")
    handle.cursor().execute("select 2")
    assert (server.cancelled, handle.reusable) == (0, True)


def test_an_interrupt_from_another_thread_ends_the_statement() -> None:
    """And none is sent after it."""
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


def test_an_interrupt_in_the_statements_own_thread_ends_it_too() -> None:
    """Ctrl-C outside of dbt's threads; the interrupt itself goes on."""
    server = Server("poll", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        server.handle().execute("create table t as select 1")
    assert server.cancelled == 1


def test_a_server_that_can_not_be_reached_to_cancel_is_left() -> None:
    """The statement's own connection is cut, so that its thread doesn't wait for ever."""
    server = Server()
    handle = server.handle(query_timeout=1)
    server.ended.clear()
    cut = threading.Event()
    handle.handle._transport.close = lambda: (cut.set(), server.ended.set())

    def refuse(operation: Any) -> None:
        raise ConnectionRefusedError

    object.__setattr__(handle.session, "cancel", refuse)
    server.answer.operationState = TOperationState.CANCELED_STATE
    with pytest.raises(DbtRuntimeError, match="exceeded timeout"):
        handle.execute("select 1")
    assert cut.is_set()
