"""What a person reads when a statement or a connection fails: no stack, and what to do next."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any

from dbt_common.events.contextvars import get_node_info
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from pyhive.exc import Error as HiveError

from dbt.adapters.penstock.errors import AdapterDatabaseError, AdapterError
from dbt.adapters.penstock.statement_text import following, target
from penstock.errors import render
from penstock.python_runtime.model_errors import STACK_FRAME

# What the Thrift server puts before the error class that its message then repeats.
PREFIX = re.compile(r"^(?:org\.apache\.hive\.service\.cli\.HiveSQLException: )?(?:Error running query: )?")
REPEATED = re.compile(r"^\[([\w.]+)\] [\w.$]+:\s*\[\1\] ?")


CAUSE = re.compile(r"^\s*Caused by: [\w.$]+: (\S[^\n]*)", re.MULTILINE)


FRAMES = re.compile(STACK_FRAME)
# What Spark puts before the SQL that it quotes.
QUOTES = re.compile(r"^== SQL ", re.MULTILINE)


def without_stack(message: str) -> str:
    """Spark's message up to its first stack frame, each line of it once, and the error that began it all.

    The SQL in it is as it was sent, so that its lines have their numbers. A write that failed says only that it did:
    what went wrong in its rows stands below the frames.
    """
    words = FRAMES.split(message, maxsplit=1)[0]
    sql = QUOTES.search(words)
    lines = (words[: sql.start()] if sql else words).splitlines()
    kept = "\n".join(dict.fromkeys(line.rstrip() for line in lines if line.strip()))
    if sql:
        kept = f"{kept}\n{words[sql.start() :].rstrip()}"
    causes = [cause.rstrip() for cause in CAUSE.findall(message)]
    # An error class, or all of the words where there is none, tells whether the message has it already.
    known = causes and (causes[-1].split(" ")[0] if causes[-1].startswith("[") else causes[-1]) in kept
    return f"{kept}\ncaused by: {causes[-1]}" if causes and not known else kept


def plain(message: str) -> str:
    """Spark's own message: no stack, and its error class named once, at the front."""
    return REPEATED.sub(r"[\1] ", PREFIX.sub("", without_stack(message)))


def of_error(error: Exception) -> str:
    """The words in an error of PyHive, whose text is a whole Thrift response, or of anything else."""
    response: Any = error.args[0] if error.args else None
    status = getattr(response, "status", None)
    words = getattr(status, "errorMessage", None) if isinstance(error, HiveError) else None
    return plain(str(words or error or type(error).__name__))


def of_statement(words: str, sql: str) -> str:
    """An error's words, after what to do when the statement is several ones."""
    rest = following(sql) if "PARSE_SYNTAX_ERROR" in words else None
    if not rest:
        return words
    cure = render(
        "one statement: a hook is one, and so is a model, a test or what run_query is given",
        f"another one after the semicolon: {' '.join(rest.split())[:80]}",
        "write the statements of a hook as a list, post_hook: [first, second]; those before a model as its sql_header",
    )
    return f"{cure}\n{words}"


def node() -> str:
    """The dbt node that this thread runs, in words."""
    return str(get_node_info().get("unique_id") or "dbt itself")


def _reason(error: BaseException) -> str:
    inner = getattr(error, "inner", None) or error
    return " ".join(f"{type(inner).__name__}: {inner}".split()).rstrip(".: ")


def unknown_outcome(sql: str, error: BaseException) -> DbtDatabaseError:
    """The connection was lost while a statement that writes may have been running."""
    table = target(sql)
    look = f"`describe history {table}` (Delta) or the rows of {table}" if table else "what it writes"
    return AdapterDatabaseError(
        f"the server's answer to a statement of {node()}",
        f"the connection was lost ({_reason(error)}); the statement writes, so it was not sent again, "
        "and its outcome is unknown",
        f"look at {look} to see whether it took effect, then run the node again",
    )


def not_answered(error: BaseException) -> DbtDatabaseError:
    """The connection was lost during a statement that only reads."""
    return AdapterDatabaseError(
        f"the server's answer to a statement of {node()}",
        f"the connection was lost ({_reason(error)}); the statement only reads, nothing was changed",
        "look at the server's log, then run again; query_retries in profiles.yml says how often such a "
        "statement is sent again by itself, in a session that no statement changed",
    )


def session_lost(error: BaseException) -> DbtDatabaseError:
    """The connection was lost between two statements, with settings or temporary views in its session."""
    return AdapterDatabaseError(
        f"the session in which {node()} set something up",
        f"its connection was lost ({_reason(error)}) before the next statement, which was not sent",
        "run the node again",
    )


def refused(error: Exception) -> DbtRuntimeError:
    """The server answered, and would not open a session: a setting that it doesn't take, as a rule."""
    words = " ".join(of_error(error).removeprefix("Failed to open new session: ").split())
    words = re.sub(r"^[\w.$]+: (?=\[)", "", words)
    if "CANNOT_MODIFY" in words:
        do = (
            "move that setting to server.spark_conf in penstock.yml, which the server reads when it starts "
            "(`penstock down` first); a remote server's administrator sets it there"
        )
    else:
        do = "correct spark_conf of the model or folder, or server_side_parameters in profiles.yml"
    return AdapterError(f"a Thrift session for {node()}", words.rstrip("."), do)


def unreachable(host: str, port: int, tls: bool, error: BaseException) -> str:
    """Why no connection came about, by what the operating system, TLS or the greeting said."""
    place = f"{host}:{port}"
    cause = getattr(error, "inner", None) or error
    server = f"a Spark Thrift server at {place}"
    address = "start it, or correct host and port in profiles.yml"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return render(
            f"a certificate of {place} that is trusted and names {host}",
            cause.verify_message.rstrip("."),
            "set ssl_ca in profiles.yml to the file of its certificate authority, or host to the name in the "
            "certificate; ssl_verify: false does without the check",
        )
    if isinstance(cause, ssl.SSLError):
        return render(
            f"TLS at {place} (use_ssl: true)",
            f"no TLS there ({getattr(cause, 'reason', None) or cause})",
            "set use_ssl: false, or correct the port, in profiles.yml",
        )
    if isinstance(cause, socket.gaierror):
        return render(server, f"no address for {host} ({cause.strerror})", "correct host in profiles.yml")
    if isinstance(cause, ConnectionRefusedError):
        return render(server, "nothing listens there (connection refused)", address)
    if "Bad status" in str(error):
        return render(
            f"a login at {place}",
            f"the server refused it ({error})",
            "correct user, password and auth in profiles.yml",
        )
    if isinstance(cause, TimeoutError | EOFError | ConnectionResetError) or "0 bytes" in str(error):
        return render(
            f"the greeting of {server}",
            "no answer in time" if isinstance(cause, TimeoutError) else "the server closed the connection",
            "check that auth (NONE, NOSASL, LDAP, KERBEROS, CUSTOM) and "
            f"use_ssl (now {str(tls).lower()}) in profiles.yml are the server's own, and that host and port are right",
        )
    return render(server, _reason(error), address)
