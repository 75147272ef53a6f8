"""Send OpenLineage events on a separate thread, so that dbt never waits for the receiver while it runs nodes."""

from __future__ import annotations

import importlib.util
import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dbt.adapters.events.logging import AdapterLogger

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent

logger = AdapterLogger("penstock")
# The client's configuration: https://openlineage.io/docs/client/python/configuration
DISABLED, URL, FILE = "OPENLINEAGE_DISABLED", "OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"
TRANSPORT = "OPENLINEAGE__TRANSPORT"
FILE_NAME = "openlineage.yml"
# Seconds that dbt waits at its end for events that are not sent yet.
WAIT_SECONDS = 10.0
# The loggers of the client and of its HTTP library. They print a line for each attempt to send an event.
NOISY = ("openlineage", "urllib3.connectionpool")


def is_configured() -> bool:
    """Return whether the OpenLineage client is installed, configured and not disabled.

    The client itself isn't imported, because that takes a third of a second.
    """
    if os.environ.get(DISABLED, "").strip().lower() == "true" or importlib.util.find_spec("openlineage") is None:
        return False
    files = (os.environ.get(FILE, ""), FILE_NAME, Path.home() / ".openlineage" / FILE_NAME)
    has_file = any(name and Path(name).is_file() for name in files)
    return has_file or bool(os.environ.get(URL)) or any(name.startswith(TRANSPORT) for name in os.environ)


def make_client() -> OpenLineageClient:
    """Return a client with the configuration of the environment."""
    from openlineage.client import OpenLineageClient

    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return OpenLineageClient()


class EventSender:
    """Sends events in order. After a connection error, the receiver counts as down, and no further events are sent.

    Args:
        client: creates the client. This function runs on the separate thread.
        wait_seconds: the longest time, in seconds, that `close` waits.
    """

    def __init__(
        self, client: Callable[[], OpenLineageClient] = make_client, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._make_client, self._wait_seconds = client, wait_seconds
        self._queue: queue.SimpleQueue[Callable[[], RunEvent] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True, name="OpenLineage events")
        self._added = self._sent = 0
        self._error = ""
        self._is_down = False

    def send(self, build: Callable[[], RunEvent]) -> None:
        """Queue an event, which the separate thread sends.

        Args:
            build: creates the event. This function runs on the separate thread.
        """
        if not self._added:
            self._thread.start()
        self._added += 1
        self._queue.put(build)

    def close(self) -> None:
        """Wait for the events that are not sent yet, and log one warning if some could not be sent."""
        if not self._added:
            return
        self._queue.put(None)
        self._thread.join(self._wait_seconds)
        if unsent := self._added - self._sent:
            error = self._error or f"the receiver needed more than {self._wait_seconds:g} s"
            logger.warning(f"{unsent} of {self._added} OpenLineage events were not sent: {error}")

    def _work(self) -> None:
        try:
            client = self._make_client()
        except Exception as error:
            self._error = f"the client's configuration is not valid: {error}"
            return
        while (build := self._queue.get()) is not None:
            if not self._is_down:
                self._send(client, build)
        # Old clients have no method `close`. The method sends the events that a transport such as Kafka has queued.
        if close := getattr(client, "close", None):
            close(self._wait_seconds)

    def _send(self, client: OpenLineageClient, build: Callable[[], RunEvent]) -> None:
        try:
            client.emit(build())
            self._sent += 1
        except Exception as error:
            self._error = self._error or str(error) or repr(error)
            # Only an error with a response comes from a receiver that is up.
            self._is_down = isinstance(error, OSError) and getattr(error, "response", None) is None
