"""Waiting for what another process brings about: a condition is polled, never a time slept through."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

# Only a test that fails waits so long, on however busy a machine.
LIMIT = 600.0
Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], what: str, seconds: float = LIMIT, pause: float = 0.1) -> Found:
    """Poll a condition until it is true; its value.

    Args:
        what: the condition in words, for the error.
        seconds: how long to wait before the test fails.
        pause: seconds between two polls.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
    return found
