"""A directory server with LDAP's simple bind, as far as Spark's login check needs it (RFC 4511)."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

BIND, BIND_ANSWER, INVALID_CREDENTIALS = 0x60, 0x61, 49


def _part(data: bytes) -> tuple[int, bytes, bytes]:
    """Return a BER element's tag and content, and the rest."""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + size], data[start + size :]


def _element(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Answer binds until the client closes the connection."""
        while data := self.request.recv(4096):
            _, message, _ = _part(data)
            _, number, rest = _part(message)
            tag, request, _ = _part(rest)
            if tag != BIND:
                return
            _, _, rest = _part(request)  # the protocol's version
            _, name, rest = _part(rest)
            _, password, _ = _part(rest)
            known: dict[bytes, bytes] = self.server.known  # type: ignore[attr-defined]
            code = 0 if known.get(name) == password else INVALID_CREDENTIALS
            answer = _element(BIND_ANSWER, b"\x0a\x01" + bytes([code]) + b"\x04\x00\x04\x00")
            self.request.sendall(_element(0x30, _element(2, number) + answer))


@contextmanager
def directory(**known: str) -> Iterator[int]:
    """Run a directory on a port of this machine; `known` is the password by name."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.known = {name.encode(): password.encode() for name, password in known.items()}  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
