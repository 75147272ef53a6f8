"""The connection below a session, without a server."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from dbt_common.exceptions import DbtRuntimeError
from thrift.transport.TTransport import TTransportException

from dbt.adapters.penstock.transport import Buffered, Sasl, Socket, ssl_context, thrift_transport
from tests.unit.adapter.profiles import credentials


def test_tls_verifies_certificate_and_name_by_default() -> None:
    """dbt-spark verifies neither."""
    context = ssl_context(credentials(host="h", use_ssl=True))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert ssl_context(credentials(host="h")) is None


def test_only_ssl_verify_turns_verification_off() -> None:
    """By `ssl_verify: false`."""
    context = ssl_context(credentials(host="h", use_ssl=True, ssl_verify=False))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_the_certificate_authority_is_read_from_its_file(tmp_path: Path) -> None:
    """The path is relative to the project; the error names a missing file."""
    made = credentials(host="h", use_ssl=True, ssl_ca="ca.pem")
    object.__setattr__(made, "project_root", str(tmp_path))
    with pytest.raises(DbtRuntimeError, match=r"ca\.pem: No such file"):
        ssl_context(made)
    (tmp_path / "ca.pem").write_text("nonsense")
    with pytest.raises(DbtRuntimeError, match=r"correct ssl_ca"):
        ssl_context(made)


@pytest.mark.parametrize(
    ("data", "mechanism"),
    [
        ({}, "PLAIN"),
        ({"auth": "LDAP", "password": "p"}, "PLAIN"),
        ({"auth": "CUSTOM", "password": "p"}, "PLAIN"),
        ({"auth": "KERBEROS", "kerberos_service_name": "hive"}, "GSSAPI"),
    ],
)
def test_the_sasl_mechanism_of_a_login(data: dict[str, str], mechanism: str) -> None:
    """The one that Hive's servers expect."""
    transport = thrift_transport(credentials(host="h", **data))
    assert isinstance(transport, Sasl)
    assert transport.mechanism == mechanism


def test_plain_sends_user_and_password() -> None:
    """For LDAP and CUSTOM; a server without a login accepts any password."""
    made = thrift_transport(credentials(host="h", auth="LDAP", user="ann", password="secret")).sasl_client_factory()
    assert made.start("PLAIN") == (True, "PLAIN", b"\0ann\0secret")
    none = thrift_transport(credentials(host="h", user="ann")).sasl_client_factory()
    assert none.start("PLAIN")[2] == b"\0ann\0x"


def test_no_greeting_without_sasl() -> None:
    """NOSASL is a bare buffered connection."""
    assert isinstance(thrift_transport(credentials(host="h", auth="NOSASL")), Buffered)


def test_the_greeting_has_a_time_limit() -> None:
    """A server without SASL reads the greeting as the beginning of a long message and waits for the rest."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        transport = thrift_transport(credentials(host="127.0.0.1", port=port, connect_timeout=1))
        with pytest.raises(TTransportException) as caught:
            transport.open()
    assert isinstance(caught.value.inner, TimeoutError)


def test_the_error_of_a_socket_has_the_reason() -> None:
    """Thrift's error has only the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TTransportException) as caught:
        Socket("127.0.0.1", port, None, 1).open()
    assert isinstance(caught.value.inner, ConnectionRefusedError)


def test_closing_wakes_a_thread_that_waits_for_an_answer() -> None:
    """A silent server would block it forever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Socket("127.0.0.1", silent.getsockname()[1], None, 5)
        wire.open()
        wire.setTimeout(None)
        threading.Timer(0.2, wire.close).start()
        with pytest.raises(TTransportException):
            wire.read(1)
