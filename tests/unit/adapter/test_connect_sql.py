"""Statements over Spark Connect, with a client that fails or waits at a given step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import grpc
import pyarrow as pa
import pytest
from dbt.adapters.exceptions import FailedToConnectError
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyspark.errors import PySparkAssertionError
from pyspark.errors.exceptions.connect import (
    AnalysisException,
    SparkConnectException,
    SparkConnectGrpcException,
)
from pyspark.sql.connect.proto import Relation

from dbt.adapters.penstock import connect_opening, connect_sql
from dbt.adapters.penstock.connect_sql import ConnectSession
from dbt.adapters.penstock.connection_handle import PenstockHandle
from penstock.errors import PenstockError
from tests.unit.adapter.profiles import credentials

ADDRESS = "sc://localhost:1/;token=hidden"
LOSSES: list[BaseException] = [
    SparkConnectGrpcException("gone", grpc_status_code=grpc.StatusCode.UNAVAILABLE),
    SparkConnectException(errorClass="NO_ACTIVE_SESSION", messageParameters={}),
    SparkConnectGrpcException("x", errorClass="INVALID_HANDLE.SESSION_CHANGED", messageParameters={"handle": "h"}),
    PySparkAssertionError("Received incorrect server side session identifier for request."),
    ValueError("Cannot invoke RPC on closed channel!"),
]


class Client:
    """pyspark's client. Statements fail with `errors`, one after another, or wait until they are interrupted."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.commands: list[str] = []
        self.queries: list[str] = []
        self.released = self.interrupts = 0
        self.tags: set[str] = set()
        self.ended, self.sent = threading.Event(), threading.Event()
        self.ended.set()
        self._channel = SimpleNamespace(close=self.ended.set)
        self._closed = False

    def add_tag(self, tag: str) -> None:
        self.tags.add(tag)

    def clear_tags(self) -> None:
        self.tags.clear()

    def step(self) -> None:
        self.sent.set()
        self.ended.wait(20)
        if self.interrupts:
            raise SparkConnectGrpcException("interrupted", errorClass="OPERATION_CANCELED", messageParameters={})
        if self.errors:
            raise self.errors.pop(0)

    def execute_command(self, command: Any) -> Any:
        """Run a command; its result is in the answer."""
        self.commands.append(command.sql_command.input.sql.query)
        self.step()
        table = pa.table({"key": ["a"]})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        relation = Relation()
        relation.local_relation.data = sink.getvalue().to_pybytes()
        return None, {"sql_command_result": relation}, None

    def to_table(self, plan: Any, observations: Any) -> Any:
        """Run a query."""
        self.queries.append(plan.root.sql.query)
        self.step()
        return pa.table({"a": [1]}), None, None

    def interrupt_tag(self, tag: str) -> list[str]:
        self.interrupts += 1
        self.ended.set()
        return [tag]

    def release_session(self) -> None:
        self.released += 1

    def get_configs(self, *keys: str) -> None:
        if self.errors:
            raise self.errors.pop(0)


def opener(*clients: Client) -> Callable[[], ConnectSession]:
    """Return a function that opens a session on each client in turn."""
    left = list(clients)
    return lambda: ConnectSession(left.pop(0), ADDRESS, 3, None)


def test_a_command_is_sent_once_and_a_query_is_no_command() -> None:
    """Reading a command's rows sends nothing."""
    client = Client()
    handle = PenstockHandle(opener(client)).cursor()
    handle.execute("show tables in s;")
    assert (handle.fetchall(), handle.description[0][:2]) == ([("a",)], ("key", "STRING_TYPE"))
    handle.cursor().execute("select 1 as a")
    assert handle.fetchmany(1) == [(1,)] and handle.fetchall() == []
    assert (client.commands, client.queries) == (["show tables in s"], ["select 1 as a"])
    assert not client.tags


def test_a_with_clause_may_write() -> None:
    """Such a statement is sent as a command, so that it runs once."""
    client = Client()
    PenstockHandle(opener(client)).cursor().execute("with a as (select 1) insert into s.t select * from a")
    assert len(client.commands) == 1 and not client.queries


def test_bindings_become_literals() -> None:
    """dbt-spark's placeholders."""
    client = Client()
    PenstockHandle(opener(client)).cursor().execute("insert into t values (%s, %s, %s)", ["it's", 1, None])
    assert client.commands == [r"insert into t values ('it\'s', 1.0, NULL)"]


@pytest.mark.parametrize("error", LOSSES, ids=lambda error: type(error).__name__)
def test_a_query_is_sent_again_on_a_new_session(error: BaseException) -> None:
    """After each way to lose a session."""
    first, second = Client(error), Client()
    handle = PenstockHandle(opener(first, second)).cursor()
    handle.execute("select 1")
    assert handle.fetchall() == [(1,)]
    assert (first.queries, second.queries) == (["select 1"], ["select 1"])


@pytest.mark.parametrize("error", LOSSES, ids=lambda error: type(error).__name__)
def test_a_statement_that_writes_is_sent_once(error: BaseException) -> None:
    """The error says where to look."""
    client = Client(error)
    handle = PenstockHandle(opener(client)).cursor()
    with pytest.raises(DbtDatabaseError, match=r"outcome is unknown.*describe history s\.t"):
        handle.execute("insert into s.t select 1")
    assert len(client.commands) == 1


def test_a_session_that_ended_between_two_statements_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a statement that writes, so that its outcome is known."""
    monkeypatch.setattr(connect_sql, "UNCHECKED_SECONDS", 0)
    first, second = Client(), Client()
    handle = PenstockHandle(opener(first, second)).cursor()
    handle.execute("select 1")
    first.errors = [LOSSES[0]]
    handle.cursor().execute("insert into s.t select 1")
    assert (first.commands, second.commands) == ([], ["insert into s.t select 1"])


def test_sparks_error_is_its_message_and_root_cause() -> None:
    """Without gRPC's wrapper and stack frames."""
    stack = "org.X\n\tat a.b(C.scala:1)\nCaused by: org.Y: [USER_RAISED] on purpose\n\tat d.e(F.scala:2)"
    error = AnalysisException("[TASK_FAILED] no", server_stacktrace=stack, display_server_stacktrace=True)
    handle = PenstockHandle(opener(Client(error))).cursor()
    with pytest.raises(DbtDatabaseError) as caught:
        handle.execute("select 1")
    assert caught.value.msg == "[TASK_FAILED] no\ncaused by: [USER_RAISED] on purpose"


def test_the_token_is_masked_in_errors() -> None:
    """gRPC's messages may contain the address."""
    error = SparkConnectGrpcException("bad hidden", grpc_status_code=grpc.StatusCode.RESOURCE_EXHAUSTED)
    with pytest.raises(DbtDatabaseError, match=r"bad \*\*\*"):
        PenstockHandle(opener(Client(error))).cursor().execute("select 1")


def test_penstocks_own_statements_have_errors_in_three_parts() -> None:
    """They use the cursor without dbt's handle."""
    cursor = opener(Client())().connection.cursor()
    cursor.execute("select 7")
    assert cursor.fetchall() == [(1,)]
    for error in (AnalysisException("[NO] table\nand more"), LOSSES[0]):
        with pytest.raises(PenstockError, match="needed: an answer to a statement") as caught:
            opener(Client(error))().connection.cursor().execute("select 7")
        assert "and more" not in str(caught.value)


def test_an_interrupt_cancels_the_statement_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no statement is sent after it."""
    monkeypatch.setattr(connect_sql, "YOUNGEST", 0.0)
    client = Client()
    client.ended.clear()
    handle = PenstockHandle(opener(client)).cursor()

    def interrupt() -> None:
        client.sent.wait(10)
        handle.cancel()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(DbtRuntimeError, match="interrupted"):
        handle.execute("create table t as select 1")
    thread.join()
    with pytest.raises(DbtRuntimeError, match="interrupted"):
        handle.cursor()
    assert (client.interrupts, len(client.commands)) == (1, 1)


def test_a_statement_that_was_cancelled_before_it_was_sent_is_never_sent() -> None:
    """Spark can't cancel a statement that it doesn't know."""
    client = Client()
    session = opener(client)()
    tag = session.start(session.cursor(), "insert into t select 1", None)
    session.cancel(tag)
    assert "cancelled" in str(session.wait(session.cursor(), tag, 0, lambda seconds: None))
    assert not client.commands and not client.interrupts


def test_a_server_that_does_not_cancel_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is cut, so that the statement's thread doesn't wait forever."""
    monkeypatch.setattr(connect_sql, "YOUNGEST", 0.0)
    client = Client(LOSSES[0])
    client.ended.clear()
    with (
        patch.object(client, "interrupt_tag", lambda tag: threading.Event().wait(5)),
        pytest.raises(DbtRuntimeError, match="exceeded timeout"),
    ):
        session = ConnectSession(client, ADDRESS, 0.3, None)
        PenstockHandle(lambda: session, query_timeout=1).cursor().execute("select 1")
    assert client._closed


def test_closing_releases_the_session_and_its_channel() -> None:
    """Once."""
    client = Client()
    handle = PenstockHandle(opener(client)).cursor()
    handle.execute("select 1")
    handle.close()
    handle.close()
    assert (client.released, client._closed) == (1, True)


def test_an_address_without_a_server_is_an_error_at_once() -> None:
    """And the error doesn't contain the token."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made = credentials(method="connect", connect_url=f"sc://localhost:{port}/;token=secret")
    with pytest.raises(FailedToConnectError, match=rf"Spark Connect at localhost:{port}.*connection refused") as caught:
        connect_opening.open_session(made)
    assert "secret" not in str(caught.value)
