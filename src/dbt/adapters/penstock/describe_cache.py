"""A cache of DESCRIBE results for one dbt run.

dbt describes the same relation many times. For example, each unit test describes its inputs. The cache drops a result
as soon as a statement of this process may change the result. The cache does not notice changes by other processes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dbt_common.invocation import get_invocation_id

T = TypeVar("T")


class DescriptionCache:
    """A cache of query results, by query and subject. Several threads may use the cache at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run_id = ""
        # By (query, subject): a function that returns whether the result depends on a relation, and the result.
        self._results: dict[tuple[str, str], tuple[Callable[[str], bool], Any]] = {}
        self._querying: dict[tuple[str, str], threading.Lock] = {}
        # The changes of this run so far. If a relation changes while a query that depends on it runs, the query's
        # result is not cached.
        self._changes: list[frozenset[str] | None] = []

    def get(self, query: str, subject: str, depends_on: Callable[[str], bool], run: Callable[[], tuple[T, bool]]) -> T:
        """Return the cached result of a query, or run the query.

        Args:
            query: the kind of query, such as `describe extended`.
            subject: the relation or query to describe.
            depends_on: gets a relation as `schema.name`, and returns whether a change of this relation may change the
                result.
            run: runs the query, and returns the result and whether the result may be cached.
        """
        key = (query, subject)
        with self._lock:
            self._begin_run()
            querying = self._querying.setdefault(key, threading.Lock())
        # One thread runs the query, and the other threads wait for the result.
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

    def cached(self, query: str, subject: str) -> Any:
        """Return the cached result of a query, or None. The query doesn't run."""
        with self._lock:
            self._begin_run()
            return self._results.get((query, subject), (None, None))[1]

    @contextmanager
    def changing(self, names: Iterable[str] | None) -> Iterator[None]:
        """Mark relations as changed by the `with` block, and drop the results that depend on these relations.

        Args:
            names: the relations as `schema.name` in lower case, or None for all relations.
        """
        changed = None if names is None else frozenset(names)
        if changed is not None and not changed:
            yield
            return
        self._drop(changed)
        try:
            yield
        finally:
            # Drop results again, because another thread may have cached a result during the change.
            self._drop(changed)

    def changed(self, name: str) -> bool:
        """Return whether this run may have changed the relation `schema.name`."""
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
        """Drop the results of an earlier dbt run in the same process."""
        run_id = get_invocation_id()
        if run_id != self._run_id:
            self._run_id, self._results, self._querying, self._changes = run_id, {}, {}, []


def _affects(changed: frozenset[str] | None, depends_on: Callable[[str], bool]) -> bool:
    return changed is None or any(map(depends_on, changed))
