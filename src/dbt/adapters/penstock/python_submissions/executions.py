"""Models that run now, each on a thread of its own, so that a timeout or Ctrl-C can stop any code.

A thread that waits for Spark is stopped by the cancelling of its jobs. One in a Python loop is
stopped by an exception raised in it from outside; within Spark's client that could leave a lock
behind that every other session waits for, so it comes there only to a model that goes on asking
Spark although its jobs were cancelled. One that hangs in a call of C code can't be stopped: it is
left behind, its Spark session or process ended, and dies with dbt.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable

from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import cancellation, write_turns
from dbt.adapters.penstock.errors import AdapterError

GRACE = 10.0
STEP = 0.2
# Seconds between two calls that cancel a model's jobs.
AGAIN = 1.0
CLIENT = ("pyspark", "grpc")


class Stopped(BaseException):
    """Raised in a model's thread to end it; not an Exception, so that a model's `except` lets it pass."""


def in_client(ident: int) -> bool:
    """Whether a thread is within a call of Spark's client."""
    frame = sys._current_frames().get(ident)
    while frame is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] in CLIENT:
            return True
        frame = frame.f_back
    return False


class Running:
    """One running model.

    Args:
        name: the model's name.
        work: runs it.
        cancel: ends its Spark jobs; may be called at any time, on another thread.
    """

    def __init__(self, name: str, work: Callable[[], None], cancel: Callable[[], None]) -> None:
        self.name, self._work, self._cancel = name, work, cancel
        self._wake = threading.Event()
        self._finished = False
        self._error: BaseException | None = None
        self._stopped = False
        # dbt's log reads the node of a line from the context.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._main,), daemon=True, name=f"model {name}")

    def _main(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._finished = True
            self._wake.set()

    def stop(self) -> None:
        """Ask for the end; `wait` brings it about on the thread that waits."""
        self._stopped = True
        self._wake.set()

    def wait(self, timeout: float | None) -> None:
        """Run the model to its end.

        Args:
            timeout: seconds until it is stopped; None never.

        Raises:
            DbtRuntimeError: it was stopped.
            Exception: whatever the model raised.
        """
        if self._stopped:
            raise DbtRuntimeError(f"the Python model {self.name} was cancelled")
        self._thread.start()
        self._wake.wait(timeout)
        if not self._finished:
            self._end()
            if self._stopped:
                raise DbtRuntimeError(f"the Python model {self.name} was cancelled")
            raise AdapterError(
                f"an end of the Python model {self.name} within {timeout:g} s (timeout)",
                "it still ran and was stopped",
                "raise its timeout or give it less work",
            )
        if self._error is not None:
            raise self._error

    def _end(self) -> None:
        """Cancel the Spark jobs and raise `Stopped` in the model's thread until it ends."""
        deadline = time.monotonic() + GRACE
        patience = deadline - GRACE / 2
        # A server that is gone may keep the call waiting for minutes.
        canceller = threading.Thread(target=self._cancel_until_ended, daemon=True)
        canceller.start()
        while self._thread.is_alive() and time.monotonic() < deadline:
            ident = self._thread.ident or 0
            if not in_client(ident) or time.monotonic() > patience:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))
            self._thread.join(STEP)
        canceller.join(max(0.0, deadline - time.monotonic()))

    def _cancel_until_ended(self) -> None:
        """Once may be too early: a model sends its next job just after the others were cancelled."""
        while not self._finished:
            with contextlib.suppress(Exception):
                self._cancel()
            self._thread.join(AGAIN)


def at_most(seconds: float, work: Callable[[], None]) -> None:
    """Do what only tidies up and may hang or fail: then it is left behind, and the run goes on."""

    def quietly() -> None:
        with contextlib.suppress(Exception):
            work()

    cancellation.at_once([quietly], seconds)


_lock = threading.Condition()
_running: set[Running] = set()


def run(
    name: str,
    work: Callable[[], None],
    cancel: Callable[[], None],
    timeout: float | None,
    alone: str | None = None,
    tidy: Callable[[], None] = lambda: None,
) -> None:
    """Run a model, known to `stop_all` meanwhile; see Running for the arguments and errors.

    Args:
        alone: a table whose other writers wait until this model has ended.
        tidy: called once the model has ended, well or not, and before `end_all` counts it as ended.
    """
    running = Running(name, work, cancel)
    with _lock:
        _running.add(running)
    try:
        # Known by now: the end of dbt either finds this model and stops it, or is seen here.
        cancellation.require_running()
        with write_turns.turn(alone) if alone else contextlib.nullcontext():
            running.wait(timeout)
    finally:
        try:
            tidy()
        finally:
            with _lock:
                _running.discard(running)
                _lock.notify_all()


def stop_all() -> list[str]:
    """Stop every model that runs now; their names."""
    with _lock:
        for running in _running:
            running.stop()
        return sorted(running.name for running in _running)


def end_all(seconds: float = 2 * GRACE) -> None:
    """Stop every model that runs now, and wait until the server has heard of it."""
    stop_all()
    with _lock:
        _lock.wait_for(lambda: not _running, seconds)
