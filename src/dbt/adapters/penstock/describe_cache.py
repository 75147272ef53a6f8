"""A cache of DESCRIBE results for one dbt run.

dbt describes a relation many times: each unit test describes its inputs. A result is dropped as soon as a statement of
this process may change its relation. Changes that another process makes during the run are not noticed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dbt_common.invocation import get_invocation_id

T = TypeVar("T")


class DescriptionCache:
    """Query results by query and subject; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run_id = ""
        # By (query, subject): the result, and whether it depends on a relation.
        self._results: dict[tuple[str, str], tuple[Callable[[str], bool], Any]] = {}
        self._querying: dict[tuple[str, str], threading.Lock] = {}
        # The changes so far: a change while a query runs makes its result stale.
        self._changes: list[frozenset[str] | None] = []

    def get(self, query: str, subject: str, depends_on: Callable[[str], bool], run: Callable[[], tuple[T, bool]]) -> T:
        """Return the cached result of a query, or run it.

        Args:
            query: the kind of query, such as `describe extended`.
            subject: the relation or query that it describes.
            depends_on: returns whether a change of the relation `schema.name` may change the result.
            run: runs the query; returns the result, and whether it may be cached.
        """
        key = (query, subject)
        with self._lock:
            self._begin_run()
            querying = self._querying.setdefault(key, threading.Lock())
        # One thread runs the query, the others wait for its result.
        with querying:
            with self._lock:
                if key in self._results:
                    result: T = self._results[key][1]
                    return result
                changes_before, run_id = len(self._changes), self._run_id
            result, cacheable = run()
            with self._lock:
                since = self._changes[changes_before:]
                if cacheable and run_id == self._run_id and not any(_affects(change, depends_on) for change in since):
                    self._results[key] = (depends_on, result)
            return result

    @contextmanager
    def changing(self, names: Iterable[str] | None) -> Iterator[None]:
        """Mark relations as changing inside the block; None stands for every relation."""
        changed = None if names is None else frozenset(names)
        if changed is not None and not changed:
            yield
            return
        self._drop(changed)
        try:
            yield
        finally:
            # Again, since another thread may have cached a result during the change.
            self._drop(changed)

    def changed(self, name: str) -> bool:
        """Return whether the run may have changed the relation `schema.name`."""
        with self._lock:
            self._begin_run()
            return any(change is None or name in change for change in self._changes)

    def _drop(self, changed: frozenset[str] | None) -> None:
        with self._lock:
            self._begin_run()
            self._changes.append(changed)
            self._results = {
                key: (depends_on, result)
                for key, (depends_on, result) in self._results.items()
                if not _affects(changed, depends_on)
            }

    def _begin_run(self) -> None:
        """Drop the results of an earlier run of the same process."""
        run_id = get_invocation_id()
        if run_id != self._run_id:
            self._run_id, self._results, self._querying, self._changes = run_id, {}, {}, []


def _affects(changed: frozenset[str] | None, depends_on: Callable[[str], bool]) -> bool:
    return changed is None or any(map(depends_on, changed))
