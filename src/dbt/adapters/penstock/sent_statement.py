"""A statement that was sent to the server: its time limit, and how another thread stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.events.logging import AdapterLogger

from dbt.adapters.penstock import error_messages
from dbt.adapters.penstock.sessions import Session

logger = AdapterLogger("penstock")
# A cancellation ends the jobs that an operation has at that moment. A job that adaptive execution is about to submit
# would run forever; closing the operation so many seconds later ends that one too.
SETTLE = 2.0


class SentStatement:
    """One statement in a session.

    Attributes:
        operation: the server's handle of the statement, once it is known.
        stopped: why it was stopped; None when it was not.
        cancelled: when it was cancelled on the server, by the monotonic clock; None when it was not.
        lost: whether its connection was cut, because the server could not be reached to cancel it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._over = threading.Event()
        self.operation: Any = None
        self.stopped: str | None = None
        self.cancelled: float | None = None
        self.lost = False

    @contextmanager
    def limited(self, seconds: float | None) -> Iterator[None]:
        """Stop the statement after so many seconds; None for no limit."""
        message = (
            f"Query exceeded timeout of {seconds} seconds (query_timeout in profiles.yml) "
            "and was cancelled on the server"
        )
        timer = threading.Timer(seconds or 0, self._time_out, (message,))
        timer.daemon = True
        if seconds:
            timer.start()
        try:
            yield
        finally:
            self._over.set()
            timer.cancel()

    def _time_out(self, why: str) -> None:
        self.stop(why)
        if not self._over.wait(self._session.seconds):
            self._session.wake()

    def stop(self, why: str) -> None:
        """Stop the statement from any thread; before the server has sent a handle, its own thread cancels it."""
        self.stopped = why
        if self.operation is not None:
            self.cancel()

    def cancel(self) -> None:
        """Cancel the statement on the server, and wake its thread when the server cannot be reached."""
        try:
            self._session.cancel(self.operation)
            self.cancelled = time.monotonic()
        except Exception as error:
            if not self._over.is_set():
                logger.warning(
                    f"could not cancel the running statement on the server: {error_messages.error_message(error)}"
                )
                self.lost = True
                self._session.wake()

    def settle(self) -> None:
        """After a cancellation, wait until closing the operation is sure to end its last job."""
        if self.cancelled is not None:
            time.sleep(max(0.0, self.cancelled + SETTLE - time.monotonic()))
