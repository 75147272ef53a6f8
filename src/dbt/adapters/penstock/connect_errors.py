"""Error messages of Spark Connect: Spark's message without gRPC's text, and advice for a failed connection."""

from __future__ import annotations

import re
from typing import Any

from dbt.adapters.penstock.error_messages import clean_message
from dbt.adapters.penstock.errors import ConnectionLost, StatementFailed
from penstock.errors import render

# Error classes that mean that the server lost the session or the statement, for example because it was restarted.
LOST_CLASSES = ("INVALID_HANDLE.", "RESPONSE_ALREADY_RECEIVED", "NO_ACTIVE_SESSION", "RETRIES_EXCEEDED")
STACK = "\n\nJVM stacktrace:\n"
# Texts that show a failed TLS handshake in gRPC's messages, each with a reason for the error message. The texts are in
# lower case, and the most specific text is first.
TLS_REASONS = (
    ("hostname verification", "a certificate for another host"),
    ("certificate_verify_failed", "a certificate that isn't trusted"),
    ("wrong_version_number", "no TLS there (a token without use_ssl also needs TLS, unless the host is localhost)"),
    ("handshake failed", "the handshake failed"),
)
ADDRESS = "start it, or correct connect_url in profiles.yml"


def translated(error: BaseException) -> ConnectionLost | StatementFailed:
    """Convert an exception of pyspark's client to the error of a lost connection or of a failed statement."""
    import grpc  # type: ignore[import-untyped]
    from pyspark.errors import PySparkAssertionError, PySparkException
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException

    if isinstance(error, ConnectionLost | StatementFailed):
        return error
    text = " ".join(str(error).split())
    if isinstance(error, grpc.RpcError):
        return ConnectionLost(f"{error.code().name.lower()}: {error.details()}")
    if isinstance(error, PySparkAssertionError) and "session identifier" in text:
        return ConnectionLost("the server was restarted")
    if isinstance(error, PySparkException) and str(error.getCondition()).startswith(LOST_CLASSES):
        return ConnectionLost(f"{error.getCondition()}: the server has ended the session or was restarted")
    if isinstance(error, ValueError) and "closed channel" in text:
        return ConnectionLost("the connection was closed")
    if isinstance(error, KeyError | NotImplementedError):
        # pyarrow has no type for one of the result's columns.
        found = "a column whose type Arrow doesn't have, such as an interval of years and months"
        return StatementFailed(render("result columns that Spark Connect can send", found, "cast it to string"))
    if not isinstance(error, PySparkException):
        return StatementFailed(f"{type(error).__name__}: {error}")
    if type(error) is SparkConnectGrpcException and error.getCondition() is None:
        return _transport_error(error.getGrpcStatusCode(), text)
    return StatementFailed(clean_message(_with_causes(error)))


def _transport_error(code: Any, text: str) -> ConnectionLost | StatementFailed:
    """Return the error for an answer that comes from gRPC and not from Spark."""
    import grpc

    if code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return StatementFailed(text)
    details = re.search(r'details = "(.*?)"(?: debug_error_string|$)', text)
    return ConnectionLost(f"{code.name.lower()}: {details[1] if details else text}")


def _with_causes(error: Any) -> str:
    """Return Spark's message, followed by the stack trace, because the stack trace contains the root cause."""
    message = str(error).partition(STACK)[0]
    stack = str(getattr(error, "getStackTrace", lambda: "")() or "").partition("\n")[2]
    return f"{message}\n{stack}" if stack else message


def is_from_spark(error: Any) -> bool:
    """Return whether a gRPC error contains an error of Spark. Otherwise, the error is one of the connection."""
    from grpc_status import rpc_status  # type: ignore[import-untyped]

    status = rpc_status.from_call(error)
    return status is not None and bool(status.details)


def unreachable(endpoint: str, code: Any, details: str) -> str:
    """Return the message for a connection that could not be opened. The message says what to correct.

    Args:
        endpoint: the server's host and port.
        code: gRPC's status code.
        details: gRPC's message.
    """
    server, lower = f"Spark Connect at {endpoint}", details.lower()
    if code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        found, do = f"the server refused it ({details})", "correct ;token=… in connect_url"
        return render(f"a login at {server}", found, do, entry="the-login-is-refused")
    if code.name == "UNIMPLEMENTED":
        return render(server, f"another gRPC service ({details})", "correct host and port in connect_url")
    for sign, reason in TLS_REASONS:
        if sign in lower:
            return render(
                f"TLS at {endpoint}, with a certificate that is trusted and names the host",
                reason,
                "set ssl_ca in profiles.yml to the file of its certificate authority, or correct host, port and "
                "use_ssl in connect_url",
                entry="tls-without-a-trusted-certificate",
            )
    if "dns resolution" in lower or "name resolution" in lower or "domain name" in lower:
        return render(server, "no address for the host", "correct the host in connect_url")
    if "connection refused" in lower:
        return render(server, "nothing listens there (connection refused)", ADDRESS, entry="nothing-listens")
    found = "no answer in time" if code.name == "DEADLINE_EXCEEDED" else " ".join(details.split())[:200]
    return render(f"the greeting of {server}", found, f"{ADDRESS}; with TLS, add ;use_ssl=true to connect_url")
