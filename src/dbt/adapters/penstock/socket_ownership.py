"""Who talks on a session's socket: one thread at a time, and none once the session is to end.

A Thrift client serves one thread. A second one that sends its request on the same socket takes an
answer that belongs to the first: both then read garbage, or wait for ever.
"""

from __future__ import annotations

import threading
from types import TracebackType

from dbt_common.exceptions import DbtRuntimeError


class SocketUse:
    """A context manager around each talk on a socket; other threads end it with `end`.

    Attributes:
        over: why no thread may begin to talk any more; None while it may.
        woken: set with `over`: a thread that pauses between two requests waits for it.
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
        """Check that talking may go on.

        Raises:
            DbtRuntimeError: it may not; the reason is that of `end`.
        """
        if self.over:
            raise DbtRuntimeError(self.over)

    def end(self, why: str) -> bool:
        """Let no thread begin to talk from now on; whether one is talking at this moment."""
        with self._lock:
            self.over = self.over or why
            self.woken.set()
            return self._talks

    def wait_until_free(self, seconds: float) -> bool:
        """Wait until no thread talks any more; whether that came within so many seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._talks, seconds)
