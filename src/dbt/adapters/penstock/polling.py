"""Poll the server until a statement ends, and pause only if the server answers polls immediately.

Spark's Thrift server delays its answer to a poll until the statement ends, but for at most five seconds. After a
delayed answer, the next poll needs no pause. Without pauses, a server that answers immediately would be polled
thousands of times a second. For such a server, the pauses grow from a hundredth of a second to a maximum.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from TCLIService.ttypes import TOperationState

PENDING = {TOperationState.INITIALIZED_STATE, TOperationState.RUNNING_STATE, TOperationState.PENDING_STATE}
HELD_SECONDS = 0.1
FIRST_PAUSE = 0.01


class Pauses:
    """Computes the pause before the next poll, in seconds, from the duration of the last poll."""

    def __init__(self, longest: float) -> None:
        self.longest, self.next = longest, FIRST_PAUSE

    def after(self, took: float) -> float:
        """Return the pause after a poll that took `took` seconds and found the statement still running."""
        if took >= HELD_SECONDS:
            self.next = FIRST_PAUSE
            return 0.0
        pause = min(self.next, self.longest)
        self.next = min(self.next * 2, max(self.longest, FIRST_PAUSE))
        return pause


def poll_until_ended(
    poll: Callable[[], Any],
    longest: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Any:
    """Poll until the statement has ended, and return the last answer.

    Args:
        poll: polls the server once. The server's answer has the attribute `operationState`.
        longest: the longest pause between two polls, in seconds.
        clock: returns monotonic seconds.
        sleep: waits for the given number of seconds. Another thread may end the wait earlier.
    """
    pauses = Pauses(longest)
    while True:
        begin = clock()
        answer = poll()
        if answer.operationState not in PENDING:
            return answer
        if pause := pauses.after(clock() - begin):
            sleep(pause)
