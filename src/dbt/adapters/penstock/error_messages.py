"""Error messages of failed statements and connections. The messages say what to do next."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any

from dbt_common.events.contextvars import get_node_info
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyhive.exc import Error as HiveError

from dbt.adapters.penstock.errors import AdapterDatabaseError, AdapterError
from dbt.adapters.penstock.statement_text import next_statement, written_table
from penstock.errors import render
from penstock.python_runtime.model_errors import STACK_FRAME

# The Thrift server writes this prefix and the error class before a message that itself begins with the error class.
PREFIX = re.compile(r"^(?:org\.apache\.hive\.service\.cli\.HiveSQLException: )?(?:Error running query: )?")
REPEATED_CLASS = re.compile(r"^\[([\w.]+)\] [\w.$]+:\s*\[\1\] ?")
CAUSE = re.compile(r"^\s*Caused by: [\w.$]+: (\S[^\n]*)", re.MULTILINE)
FRAMES = re.compile(STACK_FRAME)
# Spark's and Iceberg's messages about catalogs that have no views, cannot replace a view, or cannot rename a table.
LACKS = re.compile(
    r"(?P<found>\[MISSING_CATALOG_ABILITY[^\n]*|(?:Creating|Replacing) a view is not supported by catalog: [^\n]*"
    r"|Cannot rename Hadoop tables)"
)
# Spark's heading above the SQL that a message quotes.
SQL_HEADING = re.compile(r"^== SQL ", re.MULTILINE)


def without_stack(message: str) -> str:
    """Return the part of Spark's message above the stack frames, without repeated lines, followed by the root cause.

    Repeated lines of the quoted SQL stay, because the message refers to lines of the SQL by number. The root cause is
    needed because Spark writes the reason of a failed write only below the stack frames.
    """
    text = FRAMES.split(message, maxsplit=1)[0]
    sql = SQL_HEADING.search(text)
    lines = (text[: sql.start()] if sql else text).splitlines()
    kept = "\n".join(dict.fromkeys(line.rstrip() for line in lines if line.strip()))
    if sql:
        kept = f"{kept}\n{text[sql.start() :].rstrip()}"
    causes = [cause.rstrip() for cause in CAUSE.findall(message)]
    # The kept text may already contain the root cause. To find out, compare the error class or, if the cause has no
    # error class, the whole text.
    known = causes and (causes[-1].split(" ")[0] if causes[-1].startswith("[") else causes[-1]) in kept
    return f"{kept}\ncaused by: {causes[-1]}" if causes and not known else kept


def clean_message(message: str) -> str:
    """Return Spark's message without the stack trace. The error class appears once, at the beginning."""
    return REPEATED_CLASS.sub(r"[\1] ", PREFIX.sub("", without_stack(message)))


def error_message(error: Exception) -> str:
    """Return the message of an error. If a PyHive error contains a Thrift response, return the response's message."""
    response: Any = error.args[0] if error.args else None
    status = getattr(response, "status", None)
    message = getattr(status, "errorMessage", None) if isinstance(error, HiveError) else None
    return clean_message(str(message or error or type(error).__name__))


def statement_message(message: str, sql: str) -> str:
    """Return the message of a failed statement.

    If the SQL contains several statements, or the table's catalog lacks an ability that the statement needs, the
    message begins with advice.
    """
    if lacks := LACKS.search(message):
        advice = render(
            f"a catalog that has what {current_node()} needs",
            lacks["found"],
            "choose another materialization or strategy, or set `database` to another catalog (docs/how-to/iceberg.md)",
        )
        return f"{advice}\n{message}"
    rest = next_statement(sql) if "PARSE_SYNTAX_ERROR" in message else None
    if not rest:
        return message
    advice = render(
        "one statement: a hook is one, and so are a model, a test and the argument of run_query",
        f"another one after the semicolon: {' '.join(rest.split())[:80]}",
        "write the statements of a hook as a list, post_hook: [first, second]; those before a model as its sql_header",
    )
    return f"{advice}\n{message}"


def current_node() -> str:
    """Return the unique id of the dbt node that this thread runs, or `dbt itself` if the thread runs no node."""
    return str(get_node_info().get("unique_id") or "dbt itself")


def _reason(error: BaseException) -> str:
    inner = getattr(error, "inner", None) or error
    return " ".join(f"{type(inner).__name__}: {inner}".split()).rstrip(".: ")


def unknown_outcome(sql: str, error: BaseException) -> DbtDatabaseError:
    """Return the error for a connection that was lost during a statement that writes."""
    table = written_table(sql)
    look = f"`describe history {table}` (Delta) or the rows of {table}" if table else "the table that it writes"
    return AdapterDatabaseError(
        f"the server's answer to a statement of {current_node()}",
        f"the connection was lost ({_reason(error)}); the statement writes, so it was not sent again, "
        "and its outcome is unknown",
        f"look at {look} to see whether it took effect, then run the node again",
        entry="the-connection-was-lost",
    )


def read_lost(error: BaseException) -> DbtDatabaseError:
    """Return the error for a connection that was lost during a statement that only reads."""
    return AdapterDatabaseError(
        f"the server's answer to a statement of {current_node()}",
        f"the connection was lost ({_reason(error)}); the statement only reads, nothing was changed",
        "look at the server's log, then run again; query_retries in profiles.yml sets how often such a "
        "statement is sent again automatically, in a session that no statement changed",
        entry="the-connection-was-lost",
    )


def session_lost(error: BaseException) -> DbtDatabaseError:
    """Return the error for a connection that was lost between two statements of a changed session.

    The session's settings and temporary views are lost too, so the next statement cannot run in a new session.
    """
    return AdapterDatabaseError(
        f"the session in which {current_node()} made settings or temporary views",
        f"its connection was lost ({_reason(error)}) before the next statement, which was not sent",
        "run the node again",
        entry="the-connection-was-lost",
    )


def session_refused(error: Exception, protocol: str = "Thrift") -> DbtRuntimeError:
    """Return the error for a session that the server refused. The usual reason is a setting."""
    message = " ".join(error_message(error).removeprefix("Failed to open new session: ").split())
    message = re.sub(r"^[\w.$]+: (?=\[)", "", message)
    entry = ""
    if "CANNOT_MODIFY" in message:
        entry = "a-setting-is-fixed-at-the-servers-start"
        do = (
            "move that setting to server.spark_conf in penstock.yml, which the server reads when it starts "
            "(`penstock down` first); a remote server's administrator sets it there"
        )
    else:
        do = "correct spark_conf of the model or folder, or server_side_parameters in profiles.yml"
    return AdapterError(f"a {protocol} session for {current_node()}", message.rstrip("."), do, entry=entry)


def unreachable(host: str, port: int, tls: bool, error: BaseException) -> str:
    """Return the message for a connection that could not be opened. The message says what to correct."""
    endpoint = f"{host}:{port}"
    cause = getattr(error, "inner", None) or error
    server = f"a Spark Thrift server at {endpoint}"
    address = "start it, or correct host and port in profiles.yml"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return render(
            f"a certificate of {endpoint} that is trusted and names {host}",
            cause.verify_message.rstrip("."),
            "set ssl_ca in profiles.yml to the file of its certificate authority, or host to the name in the "
            "certificate; ssl_verify: false skips the check",
            entry="tls-without-a-trusted-certificate",
        )
    if isinstance(cause, ssl.SSLError):
        return render(
            f"TLS at {endpoint} (use_ssl: true)",
            f"no TLS there ({getattr(cause, 'reason', None) or cause})",
            "set use_ssl: false, or correct the port, in profiles.yml",
        )
    if isinstance(cause, socket.gaierror):
        return render(server, f"no address for {host} ({cause.strerror})", "correct host in profiles.yml")
    if isinstance(cause, ConnectionRefusedError):
        return render(server, "nothing listens there (connection refused)", address, entry="nothing-listens")
    if "Bad status" in str(error):
        return render(
            f"a login at {endpoint}",
            f"the server refused it ({error})",
            "correct user, password and auth in profiles.yml",
            entry="the-login-is-refused",
        )
    if isinstance(cause, TimeoutError | EOFError | ConnectionResetError) or "0 bytes" in str(error):
        return render(
            f"the greeting of {server}",
            "no answer in time" if isinstance(cause, TimeoutError) else "the server closed the connection",
            "check that auth (NONE, NOSASL, LDAP, KERBEROS, CUSTOM) and "
            f"use_ssl (now {str(tls).lower()}) in profiles.yml are the server's own, and that host and port are right",
        )
    return render(server, _reason(error), address)
