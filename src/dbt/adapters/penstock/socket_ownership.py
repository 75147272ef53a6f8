"""Ownership of a session's socket. One thread at a time may use the socket. After the session ends, no thread may.

If two threads send requests on the same socket, each thread may read the answer to the other thread's request. Both
threads then read garbage or wait forever.
"""

from __future__ import annotations

import threading
from types import TracebackType

from dbt_common.exceptions import DbtRuntimeError


class SocketUse:
    """A context manager that encloses each request on a socket. Any thread can call `end` to forbid further requests.

    Attributes:
        over: the reason why no thread may send a request. While requests are allowed, the value is None.
        woken: an event that is set together with `over`. A thread that pauses between two requests waits for this
            event.
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
            DbtRuntimeError: no more requests are allowed. The message is the reason that was passed to `end`.
        """
        if self.over:
            raise DbtRuntimeError(self.over)

    def end(self, why: str) -> bool:
        """Forbid further requests, and return whether a request is running now."""
        with self._lock:
            self.over = self.over or why
            self.woken.set()
            return self._talks

    def wait_until_free(self, seconds: float) -> bool:
        """Wait until no request is running. Return False if a request is still running after the given seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._talks, seconds)
