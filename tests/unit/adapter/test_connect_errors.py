"""Error messages of Spark Connect."""

from __future__ import annotations

import re

import grpc
import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from dbt.adapters.penstock import connect_errors
from dbt.adapters.penstock.errors import ConnectionLost, StatementFailed


@pytest.mark.parametrize(
    ("code", "details", "message"),
    [
        ("UNAUTHENTICATED", "Invalid token", r"a login at Spark Connect at h:1.*refused it.*token=…"),
        ("UNIMPLEMENTED", "unknown service", "another gRPC service"),
        ("UNAVAILABLE", "connect: Connection refused (111)", r"nothing listens.*correct connect_url"),
        ("UNAVAILABLE", "DNS resolution failed for h", "no address for the host"),
        ("UNAVAILABLE", "Ssl handshake failed: CERTIFICATE_VERIFY_FAILED", "a certificate that isn't trusted.*ssl_ca"),
        ("UNAVAILABLE", "Tls handshake failed: WRONG_VERSION_NUMBER", "no TLS there"),
        ("UNAVAILABLE", "UNAUTHENTICATED: Hostname Verification Check failed.", "a certificate for another host"),
        ("UNAVAILABLE", "Socket closed", r"Socket closed.*use_ssl=true"),
        ("DEADLINE_EXCEEDED", "x", "no answer in time"),
    ],
)
def test_a_failed_connection_says_what_to_correct(code: str, details: str, message: str) -> None:
    """In three parts."""
    assert re.search(message, connect_errors.unreachable("h:1", grpc.StatusCode[code], details))


def test_a_type_that_arrow_lacks_is_named() -> None:
    """pyarrow raises an error without a message."""
    assert "cast it to string" in str(connect_errors.translated(KeyError(21)))


def test_errors_of_the_connection_are_lost_connections_and_others_are_not() -> None:
    """A refused request is an error of the statement."""
    lost = SparkConnectGrpcException("x", grpc_status_code=grpc.StatusCode.CANCELLED)
    refused = SparkConnectGrpcException("x", grpc_status_code=grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert isinstance(connect_errors.translated(lost), ConnectionLost)
    assert isinstance(connect_errors.translated(refused), StatementFailed)
