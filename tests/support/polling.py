"""Wait for an effect of another process by polling a condition instead of sleeping for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

# This limit is long enough for a busy machine. Only a failing test waits until it ends.
LIMIT = 600.0
Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], what: str, seconds: float = LIMIT, pause: float = 0.1) -> Found:
    """Poll a condition until it is true and return its value.

    Args:
        what: description of the condition, for the error message.
        seconds: how long to wait until the test fails.
        pause: seconds between two polls.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
    return found
