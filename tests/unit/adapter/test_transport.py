"""How the connection below a session is made up, without a server."""

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
    """dbt-spark's own verifies neither."""
    context = ssl_context(credentials(host="h", use_ssl=True))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert ssl_context(credentials(host="h")) is None


def test_verifying_can_be_switched_off_only_in_so_many_words() -> None:
    """`ssl_verify: false`."""
    context = ssl_context(credentials(host="h", use_ssl=True, ssl_verify=False))
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_an_authority_is_read_from_its_file(tmp_path: Path) -> None:
    """Relative to the project; a file that isn't there is said so."""
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
def test_a_login_chooses_its_mechanism(data: dict[str, str], mechanism: str) -> None:
    """As Hive's servers expect it."""
    transport = thrift_transport(credentials(host="h", **data))
    assert isinstance(transport, Sasl)
    assert transport.mechanism == mechanism


def test_plain_sends_user_and_password() -> None:
    """LDAP's and CUSTOM's login; a server without one takes any password."""
    made = thrift_transport(credentials(host="h", auth="LDAP", user="ann", password="secret")).sasl_client_factory()
    assert made.start("PLAIN") == (True, "PLAIN", b"\0ann\0secret")
    none = thrift_transport(credentials(host="h", user="ann")).sasl_client_factory()
    assert none.start("PLAIN")[2] == b"\0ann\0x"


def test_no_greeting_without_sasl() -> None:
    """NOSASL is a bare buffered connection."""
    assert isinstance(thrift_transport(credentials(host="h", auth="NOSASL")), Buffered)


def test_a_server_that_never_greets_is_not_waited_for_for_ever() -> None:
    """One that expects no SASL reads the greeting as a long message, and waits for the rest of it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        transport = thrift_transport(credentials(host="127.0.0.1", port=port, connect_timeout=1))
        with pytest.raises(TTransportException) as caught:
            transport.open()
    assert isinstance(caught.value.inner, TimeoutError)


def test_a_socket_that_can_not_be_opened_says_why() -> None:
    """Thrift's own says only which address it was."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TTransportException) as caught:
        Socket("127.0.0.1", port, None, 1).open()
    assert isinstance(caught.value.inner, ConnectionRefusedError)


def test_closing_wakes_a_thread_that_waits_for_an_answer() -> None:
    """One that a silent server would keep for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Socket("127.0.0.1", silent.getsockname()[1], None, 5)
        wire.open()
        wire.setTimeout(None)
        threading.Timer(0.2, wire.close).start()
        with pytest.raises(TTransportException):
            wire.read(1)
