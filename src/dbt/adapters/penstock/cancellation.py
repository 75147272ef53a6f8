"""End the threads that run the nodes of a dbt command, and clean up without blocking.

dbt can end a command while threads of the command still run nodes: after an interrupt, with `--fail-fast`, and after
the first error of commands such as `dbt compile`. Without this module, such a thread would take the next node from the
queue and open a new session for that node.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.dummy import DummyProcess
from weakref import WeakKeyDictionary

from dbt_common.exceptions import DbtRuntimeError

CANCELLED = "cancelled: dbt was interrupted"
ENDED = "cancelled: dbt ended while this still ran"

_lock = threading.Lock()
_ended: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()


def end_node_threads(why: str) -> None:
    """Stop the threads of dbt's node pools from starting more work. The calling thread is not affected.

    Args:
        why: the error message that `require_running` raises in these threads.
    """
    own = threading.current_thread()
    with _lock:
        for thread in threading.enumerate():
            if isinstance(thread, DummyProcess) and thread is not own:
                _ended.setdefault(thread, why)


def begin_command() -> None:
    """Allow the calling thread to work on a new command, even if an earlier command of this thread was ended."""
    with _lock:
        _ended.pop(threading.current_thread(), None)


def require_running() -> None:
    """Check that the calling thread may still start work.

    Raises:
        DbtRuntimeError: the thread's command has ended or was interrupted.
    """
    with _lock:
        why = _ended.get(threading.current_thread())
    if why:
        raise DbtRuntimeError(why)


def run_concurrently(actions: Iterable[Callable[[], object]], seconds: float) -> None:
    """Run actions at the same time, each in its own thread, and wait for at most `seconds`.

    Args:
        actions: the functions to call.
        seconds: the longest wait for all actions together. An action that takes longer is left running in its thread.
    """
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(action,), daemon=True) for action in actions
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
