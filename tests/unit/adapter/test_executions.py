"""Running Python models: how they end, and how they are stopped."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.python_submissions import executions


def test_a_model_in_a_loop_is_stopped_at_its_timeout() -> None:
    """Its Spark jobs are cancelled and its code ends, even code that catches every Exception."""
    cancelled, ended = threading.Event(), threading.Event()

    def work() -> None:
        try:
            while True:
                try:
                    sum(range(100))
                except Exception:
                    continue
        finally:
            ended.set()

    with pytest.raises(DbtRuntimeError, match=r"within 0\.3 s \(timeout\)"):
        executions.run("m", work, cancelled.set, 0.3)
    assert cancelled.is_set() and ended.is_set()


def test_a_model_in_sparks_client_ends_by_the_cancellation() -> None:
    """An exception in its thread could leave locks of the client behind."""
    client: dict[str, Any] = {"__name__": "pyspark.sql.connect.client"}
    exec("def ask(cancelled):\n    while not cancelled.wait(0.01):\n        pass\n    return 'answered'", client)
    cancelled, messages = threading.Event(), []

    def cancel() -> None:
        time.sleep(1)
        cancelled.set()

    with pytest.raises(DbtRuntimeError, match=r"within 0\.1 s \(timeout\)"):
        executions.run("m", lambda: messages.append(client["ask"](cancelled)), cancel, 0.1)
    assert messages == ["answered"]


def test_a_model_that_keeps_calling_spark_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that catches every Exception and calls Spark again."""
    monkeypatch.setattr(executions, "GRACE_SECONDS", 2.0)
    client: dict[str, Any] = {"__name__": "pyspark.sql.connect.client", "sleep": time.sleep}
    exec(
        "def ask(ended):\n    try:\n        while True:\n            sleep(0.01)\n    finally:\n        ended.set()",
        client,
    )
    ended = threading.Event()
    with pytest.raises(DbtRuntimeError, match=r"within 0\.1 s \(timeout\)"):
        executions.run("m", lambda: client["ask"](ended), lambda: None, 0.1)
    assert ended.is_set()


def test_running_models_are_stopped_together() -> None:
    """Ctrl-C does this; afterwards no model is registered."""
    errors: list[BaseException] = []
    started = threading.Barrier(3)

    def work() -> None:
        started.wait(10)
        while True:
            time.sleep(0.01)

    def one() -> None:
        try:
            executions.run("m", work, lambda: None, None)
        except DbtRuntimeError as error:
            errors.append(error)

    waiting = [threading.Thread(target=one) for _ in range(2)]
    for thread in waiting:
        thread.start()
    started.wait(10)
    assert executions.stop_all() == ["m", "m"]
    for thread in waiting:
        thread.join(20)
    assert len(errors) == 2 and all("was cancelled" in str(error) for error in errors)
    assert executions.stop_all() == []


def wait_for(event: threading.Event) -> None:
    event.wait()


def fail() -> None:
    """Raise an error, as a model may."""
    raise KeyError("x")


def test_an_error_of_the_model_passes_through() -> None:
    """A model that succeeds ends without an error."""
    executions.run("m", lambda: None, lambda: None, 5)
    with pytest.raises(KeyError):
        executions.run("m", fail, lambda: None, 5)


def test_clean_up_neither_fails_nor_blocks_a_run() -> None:
    """Clean-up that hangs is abandoned, and its errors are ignored."""
    done, never = threading.Event(), threading.Event()
    executions.run_at_most(60, done.set)
    assert done.is_set()
    executions.run_at_most(60, fail)
    began = time.monotonic()
    executions.run_at_most(0.1, lambda: wait_for(never))
    assert time.monotonic() - began < 30
    never.set()
