"""Executed plans fetched beside the run: a model never waits for Spark's REST status."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from penstock.plans import kept
from penstock.plans.kept import Kept
from penstock.plans.status import Status

# Spark's listener puts an execution's end into the status a moment after the statement is done; on a
# busy server that may be seconds. The pauses between the tries, in seconds.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
# Seconds that a test, or the end of dbt, waits for what is still being fetched.
PATIENCE = 20.0


class Collector:
    """Fetches executed plans on a thread of its own, one after another, and keeps them."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Path, Kept, str, Callable[[str], bool]]] = queue.Queue()
        self._waiting: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def collect(self, target: Path, plan: Kept, ui: str, matches: Callable[[str], bool]) -> None:
        """Fetch the plan that a model ran with and keep it with the rest.

        Args:
            target: dbt's target folder.
            plan: what is kept already.
            ui: the address of the Spark UI.
            matches: tells the model's statements by their description.
        """
        with self._lock:
            self._waiting[plan.node] = threading.Event()
            self._queue.put((target, plan, ui, matches))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="executed plans")
                self._thread.start()

    def wait(self, node: str | None = None) -> None:
        """Until a node's plan is there, or all of them, or too much time has passed."""
        with self._lock:
            events = [event for name, event in self._waiting.items() if node in (None, name)]
        deadline = time.monotonic() + PATIENCE
        for event in events:
            event.wait(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while True:
            target, plan, ui, matches = self._queue.get()
            try:
                self._fetch(target, plan, ui, matches)
            except OSError:
                pass  # nobody answers, or the disk is full: the plan before the run stays
            finally:
                with self._lock:
                    self._waiting.pop(plan.node, threading.Event()).set()

    @staticmethod
    def _fetch(target: Path, plan: Kept, ui: str, matches: Callable[[str], bool]) -> None:
        status = Status(ui)
        for pause in (*PAUSES, 0.0):
            if executed := status.executed(matches):
                kept.write(target, plan.with_executed(executed))
                return
            time.sleep(pause)
