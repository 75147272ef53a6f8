"""Ownership of a session's socket: one thread at a time, and none once the session ends.

A Thrift client serves one thread. A second thread that sends a request on the same socket reads the answer of the
first: both then read garbage, or wait forever.
"""

from __future__ import annotations

import threading
from types import TracebackType

from dbt_common.exceptions import DbtRuntimeError


class SocketUse:
    """A context manager around each request on a socket. Other threads end its use with `end`.

    Attributes:
        over: why no thread may send a request; None while one may.
        woken: set together with `over`; a thread that pauses between two requests waits on it.
    """

    def __init__(self) -> None:
        self.over: str | None = None
        self.woken = threading.Event()
        self._lock = threading.Condition()
        self._talks = False

    def __enter__(self) -> None:
        with self._lock:
            self.require()
            self._talks = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._talks = False
            self._lock.notify_all()

    def require(self) -> None:
        """Check that a request may be sent.

        Raises:
            DbtRuntimeError: it may not; with the reason passed to `end`.
        """
        if self.over:
            raise DbtRuntimeError(self.over)

    def end(self, why: str) -> bool:
        """Allow no more requests, and return whether one is running at this moment."""
        with self._lock:
            self.over = self.over or why
            self.woken.set()
            return self._talks

    def wait_until_free(self, seconds: float) -> bool:
        """Wait until no request is running, and return whether that happened within so many seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._talks, seconds)
