"""Let the writers of a table take turns within a dbt run, when their writes would conflict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_locks: dict[str, threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def turn(target: str) -> Iterator[None]:
    """Hold a table's turn during the `with` block. Only one thread of this process at a time holds a table's turn."""
    with _guard:
        lock = _locks.setdefault(target.lower(), threading.Lock())
    with lock:
        yield
