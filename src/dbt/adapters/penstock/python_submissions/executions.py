"""Run each Python model on its own thread, so that a timeout or Ctrl-C can stop the model.

There are two ways to stop a model's thread. If the thread waits for Spark, it ends when the model's Spark jobs are
cancelled. If the thread runs other Python code, another thread raises an exception in the model's thread. Inside
Spark's client, such an exception could leave a lock unreleased, and every other session would wait for this lock. So
inside the client, the exception is raised only if the model keeps calling Spark after the model's jobs were cancelled.
A thread that hangs in C code cannot be stopped. In this case, the adapter ends the model's Spark session or process,
and the thread ends when dbt ends.
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

GRACE_SECONDS = 10.0
STEP_SECONDS = 0.2
# Seconds between two calls that cancel a model's jobs.
CANCEL_SECONDS = 1.0
CLIENT = ("pyspark", "grpc")


class Stopped(BaseException):
    """The exception that ends a model's thread. `except Exception` in a model does not catch this exception."""


def in_client(ident: int) -> bool:
    """Return whether a thread is inside a call of Spark's client."""
    frame = sys._current_frames().get(ident)
    while frame is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] in CLIENT:
            return True
        frame = frame.f_back
    return False


class RunningModel:
    """One running model.

    Args:
        name: the model's name.
        work: runs the model.
        cancel: cancels the model's Spark jobs. It may be called at any time and on any thread.
    """

    def __init__(self, name: str, work: Callable[[], None], cancel: Callable[[], None]) -> None:
        self.name, self._work, self._cancel = name, work, cancel
        self._wake = threading.Event()
        self._finished = False
        self._error: BaseException | None = None
        self._stopped = False
        # dbt's logger reads the current node from the context.
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
        """Request the end of the model. The thread that called `wait` then ends the model."""
        self._stopped = True
        self._wake.set()

    def wait(self, timeout: float | None) -> None:
        """Run the model until it ends.

        Args:
            timeout: seconds until the model is stopped, or None for no limit.

        Raises:
            DbtRuntimeError: the model was stopped.
            Exception: the exception that the model raised.
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
                entry="a-python-model-ran-too-long",
            )
        if self._error is not None:
            raise self._error

    def _end(self) -> None:
        """Cancel the model's Spark jobs, and end the model's thread.

        The method raises `Stopped` in the thread until the thread ends or `GRACE_SECONDS` are over.
        """
        deadline = time.monotonic() + GRACE_SECONDS
        client_deadline = deadline - GRACE_SECONDS / 2
        # The jobs are cancelled on another thread, since a call to a server that is gone may take minutes.
        canceller = threading.Thread(target=self._cancel_until_ended, daemon=True)
        canceller.start()
        while self._thread.is_alive() and time.monotonic() < deadline:
            ident = self._thread.ident or 0
            if not in_client(ident) or time.monotonic() > client_deadline:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Stopped))
            self._thread.join(STEP_SECONDS)
        canceller.join(max(0.0, deadline - time.monotonic()))

    def _cancel_until_ended(self) -> None:
        """Cancel jobs repeatedly, because a model can send another job just after the earlier jobs were cancelled."""
        while not self._finished:
            with contextlib.suppress(Exception):
                self._cancel()
            self._thread.join(CANCEL_SECONDS)


def run_at_most(seconds: float, work: Callable[[], None]) -> None:
    """Do clean-up that may hang or fail. Ignore errors, and wait at most for the given number of seconds."""

    def quietly() -> None:
        with contextlib.suppress(Exception):
            work()

    cancellation.run_concurrently([quietly], seconds)


_lock = threading.Condition()
_running: set[RunningModel] = set()


def run(
    name: str,
    work: Callable[[], None],
    cancel: Callable[[], None],
    timeout: float | None,
    alone: str | None = None,
    clean_up: Callable[[], None] = lambda: None,
) -> None:
    """Run a model, and register it for `stop_all`. For the other arguments and the errors, see RunningModel.

    Args:
        alone: a table whose other writers wait until this model has ended, or None.
        clean_up: called after the model has succeeded or failed. `end_all` waits for this call too.
    """
    running = RunningModel(name, work, cancel)
    with _lock:
        _running.add(running)
    try:
        # The model is already registered. If dbt is ending, either `stop_all` finds the model or this check fails.
        cancellation.require_running()
        with write_turns.turn(alone) if alone else contextlib.nullcontext():
            running.wait(timeout)
    finally:
        try:
            clean_up()
        finally:
            with _lock:
                _running.discard(running)
                _lock.notify_all()


def stop_all() -> list[str]:
    """Stop every running model, and return their names."""
    with _lock:
        for running in _running:
            running.stop()
        return sorted(running.name for running in _running)


def end_all(seconds: float = 2 * GRACE_SECONDS) -> None:
    """Stop every running model. Wait until all models have ended, but at most for the given number of seconds."""
    stop_all()
    with _lock:
        _lock.wait_for(lambda: not _running, seconds)
