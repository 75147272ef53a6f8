"""Executed plans fetched beside the run: a model never waits for Spark's REST status."""

from __future__ import annotations

import heapq
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import SparkRestApi

# Spark's listener puts an execution's end into the status a moment after the statement is done; on a
# busy server that may be many seconds. The pauses between the tries, in seconds.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0)
# Seconds that a test, or the end of dbt, waits for what is still being fetched.
PATIENCE = 40.0
# The system's own clock: dbt's tests of samples make Python's stand still, and a wait by that one has no end.
_now = partial(time.clock_gettime, time.CLOCK_MONOTONIC)


@dataclass(order=True)
class _Wanted:
    """A plan that is still to be fetched, by when it is tried next."""

    due: float
    number: int
    target: Path = field(compare=False)
    plan: CapturedPlan = field(compare=False)
    ui: str = field(compare=False)
    matches: Callable[[str], bool] = field(compare=False)
    pauses: Iterator[float] = field(compare=False)
    done: threading.Event = field(compare=False, default_factory=threading.Event)


class Collector:
    """Fetches executed plans on a thread of its own and keeps them; one that isn't there yet holds up no other."""

    def __init__(self) -> None:
        self._heap: list[_Wanted] = []
        self._waiting: dict[str, _Wanted] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asked = 0

    def collect(self, target: Path, plan: CapturedPlan, ui: str, matches: Callable[[str], bool]) -> None:
        """Fetch the plan that a model ran with and keep it with the rest.

        Args:
            target: dbt's target folder.
            plan: what is kept already.
            ui: the address of the Spark UI.
            matches: tells the model's statements by their description.
        """
        with self._changed:
            self._asked += 1
            wanted = _Wanted(_now(), self._asked, target, plan, ui, matches, iter(PAUSES))
            self._waiting[plan.node] = wanted
            heapq.heappush(self._heap, wanted)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="executed plans")
                self._thread.start()

    def wait(self, node: str | None = None) -> None:
        """Until a node's plan is there, or all of them, or too much time has passed."""
        with self._changed:
            events = [wanted.done for name, wanted in self._waiting.items() if node in (None, name)]
        deadline = _now() + PATIENCE
        for event in events:
            event.wait(max(0.0, deadline - _now()))

    def _next(self) -> _Wanted:
        """The next one that is due, waited for."""
        with self._changed:
            while not self._heap or self._heap[0].due > _now():
                self._changed.wait(self._heap[0].due - _now() if self._heap else None)
            return heapq.heappop(self._heap)

    def _work(self) -> None:
        while True:
            wanted = self._next()
            try:
                again = not self._fetched(wanted)
            except OSError:
                again = False  # nobody answers, or the disk is full: the plan before the run stays
            pause = next(wanted.pauses, None) if again else None
            with self._changed:
                if pause is not None:
                    wanted.due = _now() + pause
                    heapq.heappush(self._heap, wanted)
                    continue
                if self._waiting.get(wanted.plan.node) is wanted:
                    del self._waiting[wanted.plan.node]
            wanted.done.set()

    @staticmethod
    def _fetched(wanted: _Wanted) -> bool:
        """Whether the plan is there and kept; a server too busy to answer is asked again."""
        try:
            executed = SparkRestApi(wanted.ui).executed_plan(wanted.matches)
        except TimeoutError:
            return False
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                return False
            raise
        if executed is None:
            return False
        plan_store.write(wanted.target, wanted.plan.with_executed(executed))
        return True
