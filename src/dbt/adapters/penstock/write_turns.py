"""Turns of the writers of one table in one dbt run, when they would conflict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_locks: dict[str, threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def turn(target: str) -> Iterator[None]:
    """Let one thread of this process write to a table at a time."""
    with _guard:
        lock = _locks.setdefault(target.lower(), threading.Lock())
    with lock:
        yield
