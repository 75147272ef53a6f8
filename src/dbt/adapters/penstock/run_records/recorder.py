"""Write the record of the running dbt command, often enough for a page that follows the command."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from dbt.adapters.events.logging import AdapterLogger

from penstock.runs import run_store
from penstock.runs.run_record import NodeRun, RunRecord

logger = AdapterLogger("penstock")
# Seconds between two writes.
PAUSE = 1.0
# Writes may take at most this share of one core's time. If a large project's record takes long to write, the pauses are
# longer too.
SHARE = 1 / 30


class Recorder:
    """Writes the record of a dbt command on a separate thread. If a write fails, the command goes on without a record.

    Args:
        target: dbt's target folder.
        keep: how many records to keep.
        snapshot: returns the current record.
    """

    def __init__(self, target: Path, keep: int, snapshot: Callable[[], RunRecord]) -> None:
        self._target, self._keep, self._snapshot = target, keep, snapshot
        self._changed, self._ended = threading.Event(), threading.Event()
        self._writing = threading.Lock()
        self._error: OSError | None = None

    def command_started(self, record: RunRecord) -> None:
        """Start the thread that writes the record."""
        self._changed.set()
        threading.Thread(target=self._work, daemon=True, name="run record").start()

    def node_started(self, node: NodeRun) -> None:
        """Write the record soon."""
        self._changed.set()

    node_changed = node_finished = node_started

    def command_finished(self, record: RunRecord) -> None:
        """Write the final record with the captured plans, and remove the oldest records."""
        with self._writing:
            self._ended.set()
        self._changed.set()
        if self._error is None:
            try:
                run_store.write(self._target, record)
                run_store.keep_plans(self._target, record)
                run_store.remove_oldest(self._target, self._keep)
            except OSError as error:
                self._error = error
        if self._error is not None:
            logger.warning(f"the record of this command in {self._target} could not be written: {self._error}")

    def _work(self) -> None:
        while self._error is None:
            self._changed.wait()
            self._changed.clear()
            record, start = self._snapshot(), time.perf_counter()
            with self._writing:
                if self._ended.is_set():
                    return
                try:
                    run_store.write(self._target, record)
                except OSError as error:
                    self._error = error
            self._ended.wait(max(PAUSE, (time.perf_counter() - start) / SHARE))
