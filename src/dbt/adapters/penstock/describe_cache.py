"""A cache of DESCRIBE results for one dbt run.

dbt describes the same relation again and again: each unit test describes its inputs. A result is
dropped as soon as a statement of this process may change its relation. A change that another
process makes during the run is not seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dbt_common.invocation import get_invocation_id

T = TypeVar("T")


class DescriptionCache:
    """Results by kind of question and subject; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run = ""
        # Per (kind, subject): the result with the relations that it depends on.
        self._results: dict[tuple[str, str], tuple[Callable[[str], bool], Any]] = {}
        self._asking: dict[tuple[str, str], threading.Lock] = {}
        # The changes so far, to tell whether one came while a result was on its way.
        self._changes: list[frozenset[str] | None] = []

    def get(self, kind: str, subject: str, depends_on: Callable[[str], bool], ask: Callable[[], tuple[T, bool]]) -> T:
        """Return the cached result, or ask for it.

        Args:
            kind: what is asked.
            subject: of which relation or query.
            depends_on: whether a change of the relation `schema.name` may change the result.
            ask: asks the server; returns the result, and whether it may be cached.
        """
        key = (kind, subject)
        with self._lock:
            self._begin_run()
            asking = self._asking.setdefault(key, threading.Lock())
        # One thread asks, the others wait for its result.
        with asking:
            with self._lock:
                if key in self._results:
                    result: T = self._results[key][1]
                    return result
                seen, run = len(self._changes), self._run
            result, cacheable = ask()
            with self._lock:
                since = self._changes[seen:]
                if cacheable and run == self._run and not any(_affects(change, depends_on) for change in since):
                    self._results[key] = (depends_on, result)
            return result

    @contextmanager
    def changing(self, names: Iterable[str] | None) -> Iterator[None]:
        """Within this, relations may change at any moment; None stands for all of them."""
        changed = None if names is None else frozenset(names)
        if changed is not None and not changed:
            yield
            return
        self._drop(changed)
        try:
            yield
        finally:
            # Once more: a result may have come while the change was made.
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
        """Forget the results of an earlier run that the same process made."""
        run = get_invocation_id()
        if run != self._run:
            self._run, self._results, self._asking, self._changes = run, {}, {}, []


def _affects(changed: frozenset[str] | None, depends_on: Callable[[str], bool]) -> bool:
    return changed is None or any(map(depends_on, changed))
