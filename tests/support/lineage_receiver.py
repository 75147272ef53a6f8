"""An HTTP receiver of OpenLineage events, on a free port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Event = dict[str, Any]


class Receiver:
    """Keeps the events that it receives.

    Attributes:
        events: the events, in the order in which they arrived.
        status: the HTTP status of the answers.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.status = HTTPStatus.CREATED
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The address of the receiver."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def states(self, job: str) -> list[str]:
        """Return the types of a job's events, in order."""
        return [event["eventType"] for event in self.events if event["job"]["name"] == job]

    def event(self, job: str, state: str) -> Event:
        """Return the only event of a job with a state."""
        (found,) = [item for item in self.events if item["job"]["name"] == job and item["eventType"] == state]
        return found

    def serve(self) -> None:
        """Answer requests until `stop`."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Stop, and free the port."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver for the duration of a block."""
    made = Receiver()
    threading.Thread(target=made.serve, daemon=True).start()
    try:
        yield made
    finally:
        made.stop()
