"""The connection that a Thrift session uses: TCP, TLS with a verified certificate, and the SASL handshake."""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.events.logging import AdapterLogger
from pyhive.hive import get_installed_sasl
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException
from thrift_sasl import TSaslClientTransport

from dbt.adapters.penstock.errors import AdapterError

if TYPE_CHECKING:
    from dbt.adapters.penstock.credentials import PenstockCredentials

logger = AdapterLogger("penstock")
# Thrift logs the stack trace of each exception that it raises. Without a handler, the trace would go to stderr.
logging.getLogger("thrift").addHandler(logging.NullHandler())


class Socket(TSocket):  # type: ignore[misc]
    """Thrift's socket with optional TLS. If the socket cannot be opened, the error contains the reason."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(host, port, socket_keepalive=True)
        self.context, self.seconds = context, seconds

    def open(self) -> None:
        """Connect, and do the TLS handshake if there is a TLS context. Each of the two steps has the time limit."""
        try:
            plain = socket.create_connection((self.host, self.port), self.seconds)
        except OSError as error:
            raise TTransportException(TTransportException.NOT_OPEN, str(error), error) from None
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # Send small requests at once, without waiting for more data to fill a packet.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.handle = self.context.wrap_socket(plain, server_hostname=self.host) if self.context else plain
        except OSError as error:
            plain.close()
            raise TTransportException(TTransportException.NOT_OPEN, str(error), error) from None

    def close(self) -> None:
        """Close the socket, and wake a thread that waits for an answer."""
        if self.handle:
            with suppress(OSError):
                self.handle.shutdown(socket.SHUT_RDWR)
        super().close()


class Buffered(TBufferedTransport):  # type: ignore[misc]
    """A transport without a SASL handshake (`auth: NOSASL`). Answers have no time limit."""

    def open(self) -> None:
        super().open()
        self._TBufferedTransport__trans.setTimeout(None)


class Sasl(TSaslClientTransport):  # type: ignore[misc]
    """A SASL transport. The handshake has a time limit, because a server without SASL would never answer."""

    def open(self) -> None:
        super().open()
        self._trans.setTimeout(None)


def innermost_socket(transport: Any) -> socket.socket | None:
    """Return the socket that a transport uses, or None if the transport is not open.

    PyHive's HTTP transport is supported too.
    """
    while inner := getattr(transport, "_trans", None) or getattr(transport, "_TBufferedTransport__trans", None):
        transport = inner
    http = getattr(transport, "_THttpClient__http", None)
    below: socket.socket | None = getattr(http, "sock", None) if http else getattr(transport, "handle", None)
    return below


def wake(transport: Any) -> None:
    """End a connection from another thread. The thread that waits for an answer gets an error."""
    if below := innermost_socket(transport):
        # For TLS, `below.shutdown` would change the connection's state while another thread uses the connection. So
        # call the method of the plain socket.
        with suppress(OSError):
            socket.socket.shutdown(below, socket.SHUT_RDWR)


def limit(transport: Any, seconds: float) -> None:
    """Limit the time, in seconds, that the server may take for each answer on an open transport."""
    if below := innermost_socket(transport):
        with suppress(OSError):
            below.settimeout(seconds)


@lru_cache(maxsize=8)
def _warn_unverified(host: str) -> None:
    logger.warning(f"ssl_verify is false: the certificate of {host} is not checked, anyone in between can pose as it")


def ssl_context(credentials: PenstockCredentials) -> ssl.SSLContext | None:
    """Return the TLS context of a profile, or None if the profile does not set `use_ssl`.

    The context verifies the server's certificate and host name, unless `ssl_verify` is false. It trusts the
    certificate authority in `ssl_ca` (a PEM file, relative to the project). Without `ssl_ca`, it trusts the machine's
    own authorities.

    Raises:
        DbtRuntimeError: `ssl_ca` can't be read.
    """
    if not credentials.use_ssl:
        return None
    file = Path(credentials.project_root) / Path(credentials.ssl_ca).expanduser() if credentials.ssl_ca else None
    try:
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        needed = "the file of a certificate authority, PEM (ssl_ca)"
        found = f"{file}: {error.strerror or error}"
        raise AdapterError(needed, found, "correct ssl_ca in profiles.yml") from None
    if not credentials.ssl_verify:
        _warn_unverified(str(credentials.host))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def thrift_transport(credentials: PenstockCredentials) -> Any:
    """Return an unopened transport to the profile's server, with the authentication that the profile configures."""
    context = ssl_context(credentials)
    wire = Socket(str(credentials.host), credentials.port, context, credentials.connect_timeout)
    if credentials.auth == "NOSASL":
        return Buffered(wire)
    mechanism = "GSSAPI" if credentials.auth == "KERBEROS" else "PLAIN"

    def client() -> Any:
        return get_installed_sasl(
            host=credentials.host,
            sasl_auth=mechanism,
            service=credentials.kerberos_service_name,
            username=credentials.user,
            # PLAIN needs a password. A server without authentication accepts any password.
            password=credentials.password or "x",
        )

    return Sasl(client, mechanism, wire)
