"""Writers of one table in one dbt run: those that would conflict take turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_locks: dict[str, threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def turn(target: str) -> Iterator[None]:
    """One writer of `target` at a time, among this process's threads."""
    with _guard:
        lock = _locks.setdefault(target.lower(), threading.Lock())
    with lock:
        yield
