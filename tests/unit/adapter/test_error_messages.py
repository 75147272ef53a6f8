"""What a person reads when something fails."""

from __future__ import annotations

import socket
import ssl
from types import SimpleNamespace

import pytest
from pyhive.exc import OperationalError
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock import error_messages


def test_sparks_stack_is_cut_off() -> None:
    """The message stays, once; its frames go."""
    text = (
        "Error running query: [X] no table\n[X] no table\n\tat org.apache.A.b(C.scala:1)\n\tat d.e(F:2)\nCaused by: x"
    )
    assert error_messages.without_stack(text) == "Error running query: [X] no table\n[X] no table"
    assert error_messages.without_stack("plain words at noon") == "plain words at noon"


def test_the_error_below_the_frames_is_kept() -> None:
    """What went wrong in the rows; not said again when the message has it."""
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
    """Hive's and Java's names before it say nothing."""
    text = (
        "org.apache.hive.service.cli.HiveSQLException: Error running query: [DIVIDE_BY_ZERO] "
        "org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero.\n\tat a.b(C.scala:1)"
    )
    assert error_messages.clean_message(text) == "[DIVIDE_BY_ZERO] Division by zero."
    parse = "Error running query: [PARSE_SYNTAX_ERROR] o.ParseException: \n[PARSE_SYNTAX_ERROR] Syntax error"
    assert error_messages.clean_message(parse) == "[PARSE_SYNTAX_ERROR] Syntax error"


def test_a_whole_thrift_response_becomes_its_message() -> None:
    """PyHive's error prints all of it otherwise."""
    response = SimpleNamespace(status=SimpleNamespace(errorMessage="Error running query: [X] j.E: [X] no\n\tat a.b(C)"))
    assert error_messages.error_message(OperationalError(response)) == "[X] no"
    assert error_messages.error_message(ValueError("plain")) == "plain"


def test_an_unknown_outcome_names_the_table_and_where_to_look() -> None:
    """And that nothing was sent twice."""
    lost = TTransportException(TTransportException.END_OF_FILE, "TSocket read 0 bytes")
    words = error_messages.unknown_outcome("/* x */ insert into s.t select 1", lost).msg
    assert "needed: the server's answer" in words
    assert "it was not sent again, and its outcome is unknown" in words
    assert "TSocket read 0 bytes" in words
    assert "describe history s.t" in words


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
def test_a_server_out_of_reach_says_why_and_what_to_do(reason: Exception, found: str, do: str) -> None:
    """By host and port."""
    error = TTransportException(TTransportException.NOT_OPEN, str(reason), reason)
    words = error_messages.unreachable("spark.example.org", 10000, False, error)
    assert "spark.example.org:10000" in words
    assert found in words.split("do: ")[0]
    assert do in words.split("do: ")[1]


def test_a_static_setting_belongs_to_the_server() -> None:
    """A session can't have it."""
    text = 'Failed to open new session: o.A: [CANNOT_MODIFY_STATIC_CONFIG] Cannot modify "spark.sql.warehouse.dir"'
    error = OperationalError(SimpleNamespace(status=SimpleNamespace(errorMessage=text)))
    words = error_messages.session_refused(error).msg
    assert "found: [CANNOT_MODIFY_STATIC_CONFIG]" in words
    assert "server.spark_conf in penstock.yml" in words


def test_quoted_sql_is_the_sql_that_was_sent() -> None:
    """Repeated and empty lines too, so that Spark's line numbers fit; frames are still cut off."""
    sql = "select\n  a,\n\n  a,\n  at time.zone\nfrom t ("
    frames = "\tat o.a.B$.c(D.scala:1)\n\tat java.base/j.E.f(G.java:2)"
    text = f"[P] wrong.\n[P] wrong.\n\n== SQL ==\n{sql}\n---^^^\n\n{frames}"
    assert error_messages.without_stack(text) == f"[P] wrong.\n== SQL ==\n{sql}\n---^^^"
    assert error_messages.without_stack(error_messages.without_stack(text)) == error_messages.without_stack(text)


def test_several_statements_are_refused_with_the_way_to_write_them() -> None:
    words = error_messages.statement_message(
        "[PARSE_SYNTAX_ERROR] near 'update'", "update t set a = 1; update t set b = 2"
    )
    assert words.startswith("needed: one statement: a hook is one")
    assert "found: another one after the semicolon: update t set b = 2" in words
    assert words.endswith("[PARSE_SYNTAX_ERROR] near 'update'")
    for other in ("select 1 frm t;", "select ';'"):
        assert error_messages.statement_message("[PARSE_SYNTAX_ERROR] x", other) == "[PARSE_SYNTAX_ERROR] x"
