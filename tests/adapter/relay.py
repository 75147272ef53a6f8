"""A TCP relay between a client and a server that can be cut while a statement runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """A relay that forwards bytes, records what the client sent, and can close all connections."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.sent = b""
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                self.open += [client, server]
                for source, target, keep in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(source, target, keep), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, keep: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.sent += data if keep else b""
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Close every connection; new ones are forwarded as before."""
        self.cuts += 1
        for end in self.open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.open = []


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Run a relay to a port of this machine inside the block."""
    made = Relay(port)
    try:
        yield made
    finally:
        made.listener.close()
        made.cut()
