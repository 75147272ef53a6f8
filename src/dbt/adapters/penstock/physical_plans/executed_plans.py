"""Fetch executed plans on a separate thread, so that a model never waits for Spark's REST API."""

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

# The pauses between requests, in seconds. Spark's REST API shows the end of an execution shortly after the statement
# ends, but many seconds later on a busy server.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0)
# Seconds that a test, or the end of dbt, waits for plans that are still being fetched.
WAIT_SECONDS = 40.0
# The system's clock. dbt's tests of --sample freeze Python's clock, and a wait that is measured with a frozen clock
# never ends.
_now = partial(time.clock_gettime, time.CLOCK_MONOTONIC)


@dataclass(order=True)
class _Request:
    """A request for an executed plan. Requests are ordered by the time of their next attempt."""

    due: float
    number: int
    target: Path = field(compare=False)
    plan: CapturedPlan = field(compare=False)
    ui: str = field(compare=False)
    matches: Callable[[str], bool] = field(compare=False)
    job_tag: str = field(compare=False)
    pauses: Iterator[float] = field(compare=False)
    done: threading.Event = field(compare=False, default_factory=threading.Event)


class Collector:
    """Fetches and stores executed plans on a separate thread. A late plan does not delay the other plans."""

    def __init__(self) -> None:
        self._heap: list[_Request] = []
        self._waiting: dict[str, _Request] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._requests = 0

    def collect(
        self, target: Path, plan: CapturedPlan, ui: str, matches: Callable[[str], bool], job_tag: str = ""
    ) -> None:
        """Fetch the executed plan of a model and store it with the captured plan.

        Args:
            target: dbt's target folder.
            plan: the captured plan.
            ui: the URL of the Spark UI.
            matches: returns whether a description in Spark's REST API belongs to the model's main statement.
            job_tag: the tag of the main statement's jobs, or empty if the descriptions suffice.
        """
        with self._changed:
            self._requests += 1
            request = _Request(_now(), self._requests, target, plan, ui, matches, job_tag, iter(PAUSES))
            self._waiting[plan.node] = request
            heapq.heappush(self._heap, request)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="executed plans")
                self._thread.start()

    def wait(self, node: str | None = None) -> None:
        """Wait until the executed plan of a node, or of all nodes, is fetched. The wait has a time limit."""
        with self._changed:
            events = [request.done for name, request in self._waiting.items() if node in (None, name)]
        deadline = _now() + WAIT_SECONDS
        for event in events:
            event.wait(max(0.0, deadline - _now()))

    def _next(self) -> _Request:
        """Wait for the next request that is due, and return it."""
        with self._changed:
            while not self._heap or self._heap[0].due > _now():
                self._changed.wait(self._heap[0].due - _now() if self._heap else None)
            return heapq.heappop(self._heap)

    def _work(self) -> None:
        while True:
            request = self._next()
            try:
                again = not self._fetch(request)
            except OSError:
                again = False  # no server or no disk space, so give up on this plan
            pause = next(request.pauses, None) if again else None
            with self._changed:
                if pause is not None:
                    request.due = _now() + pause
                    heapq.heappush(self._heap, request)
                    continue
                if self._waiting.get(request.plan.node) is request:
                    del self._waiting[request.plan.node]
            request.done.set()

    @staticmethod
    def _fetch(request: _Request) -> bool:
        """Fetch and store an executed plan, and return whether this succeeded.

        Return False if the server does not have the plan yet or is too busy to answer.
        """
        try:
            executed = SparkRestApi(request.ui).executed_plan(request.matches, request.job_tag)
        except TimeoutError:
            return False
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                return False
            raise
        if executed is None:
            return False
        plan_store.write(request.target, request.plan.with_executed(executed))
        return True
