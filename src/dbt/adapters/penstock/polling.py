"""Wait for a statement's end by asking the server, without sleeping where the server itself waits.

Spark's Thrift server holds a poll back until the statement ends, five seconds at most: another
poll may follow at once. A server that answers at once would be asked thousands of times a second;
there the pauses grow, from a hundredth of a second to the longest that is allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from TCLIService.ttypes import TOperationState

PENDING = {TOperationState.INITIALIZED_STATE, TOperationState.RUNNING_STATE, TOperationState.PENDING_STATE}
HELD = 0.1
FIRST_PAUSE = 0.01


class Pauses:
    """The pause before the next poll, from how long the last one took. All in seconds."""

    def __init__(self, longest: float) -> None:
        self.longest, self.next = longest, FIRST_PAUSE

    def after(self, took: float) -> float:
        """The pause after a poll that found the statement still running."""
        if took >= HELD:
            self.next = FIRST_PAUSE
            return 0.0
        pause = min(self.next, self.longest)
        self.next = min(self.next * 2, max(self.longest, FIRST_PAUSE))
        return pause


def until_ended(
    poll: Callable[[], Any],
    longest: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Any:
    """Poll until the statement has ended, and return the last answer.

    Args:
        poll: asks the server once; its answer has `operationState`.
        longest: the longest pause between two polls that are answered at once.
        clock: seconds that only grow.
        sleep: waits for so many seconds, or until polling is worth it.
    """
    pauses = Pauses(longest)
    while True:
        begin = clock()
        answer = poll()
        if answer.operationState not in PENDING:
            return answer
        if pause := pauses.after(clock() - begin):
            sleep(pause)
