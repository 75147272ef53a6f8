"""The error messages of statements and connections."""

from __future__ import annotations

import socket
import ssl
from types import SimpleNamespace

import pytest
from pyhive.exc import OperationalError
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import error_messages


def test_sparks_stack_trace_is_removed() -> None:
    """The message is kept once, its stack frames are removed."""
    text = (
        "Error running query: [X] no table\n[X] no table\n\tat org.apache.A.b(C.scala:1)\n\tat d.e(F:2)\nCaused by: x"
    )
    assert error_messages.without_stack(text) == "Error running query: [X] no table\n[X] no table"
    assert error_messages.without_stack("a plain message at noon") == "a plain message at noon"


def test_the_root_cause_is_kept() -> None:
    """It is added only if the message does not contain it."""
    text = "[TASK_WRITE_FAILED] while writing\n\tat a.b(C)\nCaused by: o.E: [DIVIDE_BY_ZERO] Division.\n\tat d.e(F)"
    assert (
        error_messages.without_stack(text) == "[TASK_WRITE_FAILED] while writing\ncaused by: [DIVIDE_BY_ZERO] Division."
    )
    assert error_messages.without_stack(text.replace("[TASK_WRITE_FAILED]", "[DIVIDE_BY_ZERO]")).count("\n") == 0
    full = (
        "[TASK_WRITE_FAILED] while writing\n\tat a.b(C)\nCaused by: o.E: first\n\tat d.e(F)\n\tCaused by: j.I: No space"
    )
    assert error_messages.without_stack(full) == "[TASK_WRITE_FAILED] while writing\ncaused by: No space"


def test_an_error_class_is_named_once() -> None:
    """The names of Hive's and Java's classes before it are removed."""
    text = (
        "org.apache.hive.service.cli.HiveSQLException: Error running query: [DIVIDE_BY_ZERO] "
        "org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.\n\tat a.b(C.scala:1)"
    )
    assert error_messages.clean_message(text) == "[DIVIDE_BY_ZERO] Division by zero."
    parse = "Error running query: [PARSE_SYNTAX_ERROR] o.ParseException: \n[PARSE_SYNTAX_ERROR] Syntax error"
    assert error_messages.clean_message(parse) == "[PARSE_SYNTAX_ERROR] Syntax error"


def test_only_the_message_of_a_thrift_response_is_kept() -> None:
    """PyHive's error would print the whole response."""
    response = SimpleNamespace(status=SimpleNamespace(errorMessage="Error running query: [X] j.E: [X] no\n\tat a.b(C)"))
    assert error_messages.error_message(OperationalError(response)) == "[X] no"
    assert error_messages.error_message(ValueError("plain")) == "plain"


def test_an_unknown_outcome_names_the_table_and_where_to_look() -> None:
    """It says that the statement was not sent again."""
    lost = TTransportException(TTransportException.END_OF_FILE, "TSocket read 0 bytes")
    message = error_messages.unknown_outcome("/* x */ insert into s.t select 1", lost).msg
    assert "needed: the server's answer" in message
    assert "it was not sent again, and its outcome is unknown" in message
    assert "TSocket read 0 bytes" in message
    assert "describe history s.t" in message


@pytest.mark.parametrize(
    ("reason", "found", "do"),
    [
        (ConnectionRefusedError(111, "refused"), "nothing listens there", "correct host and port"),
        (socket.gaierror(-2, "Name or service not known"), "no address for spark.example.org", "correct host"),
        (TimeoutError("timed out"), "no answer in time", "auth"),
        (EOFError(), "closed the connection", "use_ssl (now false)"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "no TLS there", "use_ssl: false"),
        (OSError(101, "Network is unreachable"), "Network is unreachable", "correct host and port"),
    ],
)
def test_the_message_of_an_unreachable_server(reason: Exception, found: str, do: str) -> None:
    """The message names host and port."""
    error = TTransportException(TTransportException.NOT_OPEN, str(reason), reason)
    message = error_messages.unreachable("spark.example.org", 10000, False, error)
    assert "spark.example.org:10000" in message
    assert found in message.split("do: ")[0]
    assert do in message.split("do: ")[1]


def test_a_static_setting_is_refused_for_a_session() -> None:
    """The message names the configuration of the server."""
    text = 'Failed to open new session: o.A: [CANNOT_MODIFY_STATIC_CONFIG] Cannot modify "spark.sql.warehouse.dir"'
    error = OperationalError(SimpleNamespace(status=SimpleNamespace(errorMessage=text)))
    message = error_messages.session_refused(error).msg
    assert "found: [CANNOT_MODIFY_STATIC_CONFIG]" in message
    assert "server.spark_conf in penstock.yml" in message


def test_quoted_sql_is_unchanged() -> None:
    """Repeated and empty lines are kept, so that Spark's line numbers are right; stack frames are removed."""
    sql = "select\n  a,\n\n  a,\n  at time.zone\nfrom t ("
    frames = "\tat o.a.B$.c(D.scala:1)\n\tat java.base/j.E.f(G.java:2)"
    text = f"[P] wrong.\n[P] wrong.\n\n== SQL ==\n{sql}\n---^^^\n\n{frames}"
    assert error_messages.without_stack(text) == f"[P] wrong.\n== SQL ==\n{sql}\n---^^^"
    assert error_messages.without_stack(error_messages.without_stack(text)) == error_messages.without_stack(text)


def test_the_message_of_several_statements_in_one() -> None:
    message = error_messages.statement_message(
        "[PARSE_SYNTAX_ERROR] near 'update'", "update t set a = 1; update t set b = 2"
    )
    assert message.startswith("needed: one statement: a hook is one")
    assert "found: another one after the semicolon: update t set b = 2" in message
    assert message.endswith("[PARSE_SYNTAX_ERROR] near 'update'")
    for other in ("select 1 frm t;", "select ';'"):
        assert error_messages.statement_message("[PARSE_SYNTAX_ERROR] x", other) == "[PARSE_SYNTAX_ERROR] x"


@pytest.mark.parametrize(
    "message",
    [
        "[MISSING_CATALOG_ABILITY.VIEWS] Catalog `a` does not support views.",
        "java.lang.UnsupportedOperationException: Replacing a view is not supported by catalog: a",
        "java.lang.UnsupportedOperationException: Creating a view is not supported by catalog: a",
        "java.lang.UnsupportedOperationException: Cannot rename Hadoop tables",
    ],
)
def test_what_a_catalog_lacks_is_an_error_with_three_parts(message: str) -> None:
    found = error_messages.statement_message(message, "select 1")
    advice, rest = found.split("\n")
    assert rest == message and advice.startswith("needed: a catalog that has what") and "`database`" in advice
    assert message.removeprefix("java.lang.UnsupportedOperationException: ") in advice
