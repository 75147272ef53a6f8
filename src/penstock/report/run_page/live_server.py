"""Serve the page of a running command on this machine, so that a browser can watch it.

The server listens on 127.0.0.1 and answers only GET requests whose path begins with a secret, so that other users of
the machine can't read the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1"


class LiveServer(ThreadingHTTPServer):
    """A server of one page and its data.

    Args:
        page: returns the page.
        data: returns the page's data as JSON.
        port: the port; 0 for a free one.
    """

    daemon_threads = True

    def __init__(self, page: Callable[[], str], data: Callable[[], str], port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.secret = secrets.token_urlsafe(24)
        self.contents = {"": (page, "text/html"), "data.json": (data, "application/json")}

    @property
    def address(self) -> str:
        """Return the address of the page, with the secret."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.secret}/"


class _Handler(BaseHTTPRequestHandler):
    """Answers GET requests below the secret; the base class refuses all other methods."""

    server: LiveServer
    server_version, sys_version = "penstock", ""

    def do_GET(self) -> None:
        """Send the page or its data."""
        _, _, rest = self.path.partition("/")
        secret, _, name = rest.partition("/")
        is_known = secrets.compare_digest(secret.encode(), self.server.secret.encode())
        if not is_known or name not in self.server.contents:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content, kind = self.server.contents[name]
        body = content().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the address contains the secret."""
