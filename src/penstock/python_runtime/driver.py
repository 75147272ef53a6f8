"""The driver program of a Python model with `submission_method: spark_submit`.

Called as `driver.py FOLDER`. The program reads FOLDER/job.json, runs the job in a classic session, and writes
FOLDER/result.json. It adds a prefix to each line that the model prints, to distinguish the line from Spark's log.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

LINE_PREFIX = "\x1e"
POLL_SECONDS = 1.0


class PrefixedOutput(io.TextIOBase):
    """A text stream that writes each line with LINE_PREFIX to another stream, and then flushes that stream."""

    def __init__(self, out: Any) -> None:
        self._out, self._line = out, ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._out.write(f"{LINE_PREFIX}{line}\n")
        if lines:
            self._out.flush()
        return len(text)


def exit_with_parent(pid: int, started: float) -> None:
    """Terminate this process group when the dbt process that started it no longer runs.

    Args:
        pid: dbt's process id.
        started: the start time of that process, in seconds since 1970.
    """
    import psutil

    def watch() -> None:
        while True:
            try:
                process = psutil.Process(pid)
                alive = abs(process.create_time() - started) < 2 and process.status() != psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                alive = False
            if not alive:
                os.killpg(os.getpgid(0), signal.SIGTERM)
                return
            time.sleep(POLL_SECONDS)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def cancel_without_executors(session: Any, seconds: float) -> Iterator[threading.Event]:
    """Cancel running jobs if the cluster provides no executor for some time.

    Spark itself waits forever, even if a restarted master no longer knows the application.

    Args:
        session: the driver's session.
        seconds: the time to wait for an executor.

    Yields:
        An event that is set when jobs have been cancelled.
    """
    context = session.sparkContext
    cancelled, done = threading.Event(), threading.Event()

    def watch() -> None:
        last = time.monotonic()
        while not done.wait(POLL_SECONDS):
            # The map has one entry for the driver and one for each executor.
            has_executors = context._jsc.sc().getExecutorMemoryStatus().size() > 1
            if has_executors or not context.statusTracker().getActiveJobsIds():
                last = time.monotonic()
            elif time.monotonic() - last > seconds:
                cancelled.set()
                context.cancelAllJobs()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield cancelled
    finally:
        done.set()
        watcher.join()


def _ui_url(session: Any) -> str:
    """Return the URL of the driver's UI, with its access key."""
    from penstock.spark.access.java_classes import FILTER

    context = session.sparkContext
    file = context.getConf().get(f"spark.{FILTER}.param.file")
    return f"{context.uiWebUrl}/?key={Path(file).read_text().strip()}" if file else str(context.uiWebUrl)


def main(folder: Path) -> int:
    """Run the job in a folder and return the exit code."""
    from pyspark.sql import SparkSession

    from penstock.plans.rest_api import SparkRestApi
    from penstock.python_runtime.job import Job
    from penstock.python_runtime.model_errors import ModelError
    from penstock.python_runtime.runner import run

    data = json.loads((folder / "job.json").read_text())
    job = Job.loads(json.dumps(data["job"]))
    exit_with_parent(*data["parent"])
    out = sys.stdout
    session = SparkSession.builder.enableHiveSupport().getOrCreate()
    session.sparkContext.setJobDescription(job.node)
    print(f"Spark UI of {job.node}: {session.sparkContext.uiWebUrl}", flush=True)
    sys.stdout = PrefixedOutput(out)
    error, plan = None, ""
    wait = data.get("wait")
    watch = cancel_without_executors(session, wait["seconds"]) if wait else contextlib.nullcontext(threading.Event())

    def set_plan(text: str) -> None:
        nonlocal plan
        plan = text

    with watch as cancelled:
        try:
            run(job, session, print, set_plan if data["plan"] else None)
        except ModelError as failure:
            error = wait["error"] if cancelled.is_set() else str(failure)
        finally:
            sys.stdout = out
    executed = None
    if data["plan"]:
        with contextlib.suppress(OSError):
            executed = SparkRestApi(_ui_url(session)).executed_plan(lambda _: True)
    result = {"error": error, "explained": plan, "executed": executed and asdict(executed)}
    (folder / "result.json").write_text(json.dumps(result))
    session.stop()
    return 1 if error else 0


if __name__ == "__main__":
    # Python adds this script's folder to the module path. Remove the folder, because its modules must be imported as
    # parts of their package.
    sys.path.pop(0)
    sys.exit(main(Path(sys.argv[1])))
