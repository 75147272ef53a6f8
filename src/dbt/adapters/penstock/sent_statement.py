"""A statement that was sent to the server. It may have a time limit, and another thread can stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbt.adapters.events.logging import AdapterLogger

from dbt.adapters.penstock import error_messages
from dbt.adapters.penstock.sessions import OpenSession

logger = AdapterLogger("penstock")
# Seconds between the cancellation of a statement and the close of its operation, which is the statement's handle on the
# server. A cancellation ends only the jobs that run at that moment. Just afterwards, adaptive execution may submit
# another job, which would run forever. The later close of the operation ends this job too.
SETTLE = 2.0


@dataclass
class TimeLimit:
    """The time limit of a statement.

    Attributes:
        seconds: the longest duration of the statement, in seconds. None means no limit.
        setting: the key of profiles.yml that sets the limit.
        exceeded: whether a statement was cancelled because of this limit.
    """

    seconds: float | None
    setting: str = "query_timeout"
    exceeded: bool = False


def shorter_limit(own: TimeLimit | None, query_timeout: float | None) -> TimeLimit:
    """Return the shorter of two limits: a statement's own limit and the profile's `query_timeout`."""
    if own is None or (query_timeout and query_timeout < (own.seconds or 0)):
        return TimeLimit(query_timeout)
    return own


class SentStatement:
    """One statement in a session.

    Attributes:
        operation: the server's handle of the statement. The value is None until the server has sent the handle.
        stopped: why the statement was stopped, or None if it was not stopped.
        cancelled: when the statement was cancelled on the server, in seconds of the monotonic clock. None if the
            statement was not cancelled.
        lost: whether the adapter cut the connection, because it could not cancel the statement on the server.
    """

    def __init__(self, session: OpenSession) -> None:
        self._session = session
        self._over = threading.Event()
        self.operation: Any = None
        self.stopped: str | None = None
        self.cancelled: float | None = None
        self.lost = False

    @contextmanager
    def limited(self, limit: TimeLimit) -> Iterator[None]:
        """Stop the statement if the `with` block, which runs the statement, takes longer than the time limit."""
        timer = threading.Timer(limit.seconds or 0, self._time_out, (limit,))
        timer.daemon = True
        if limit.seconds:
            timer.start()
        try:
            yield
        finally:
            self._over.set()
            timer.cancel()

    def _time_out(self, limit: TimeLimit) -> None:
        limit.exceeded = True
        self.stop(
            f"Query exceeded timeout of {limit.seconds:g} seconds ({limit.setting} in profiles.yml) "
            "and was cancelled on the server"
        )
        if not self._over.wait(self._session.seconds):
            self._session.wake()

    def stop(self, why: str) -> None:
        """Stop the statement. Any thread may call this method.

        If the server has not sent a handle yet, the statement's own thread cancels the statement later.
        """
        self.stopped = why
        if self.operation is not None:
            self.cancel()

    def cancel(self) -> None:
        """Cancel the statement on the server.

        If the server cannot be reached, cut the connection, so that the statement's thread stops waiting for an answer.
        """
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
        """After a cancellation, wait until `SETTLE` seconds have passed. Closing the operation then ends every job."""
        if self.cancelled is not None:
            time.sleep(max(0.0, self.cancelled + SETTLE - time.monotonic()))
