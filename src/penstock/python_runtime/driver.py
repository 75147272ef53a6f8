"""The driver that spark-submit starts: reads a job, runs it in a classic session, writes how it went.

Called as `driver.py FOLDER`, where FOLDER holds `job.json` and receives `result.json`. What the
model prints leaves on standard output, each line behind a mark, so that it is told from the log
lines of Spark's own processes.
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

MARK = "\x1e"
TICK = 1.0


class Marked(io.TextIOBase):
    """Standard output whose lines begin with the mark and leave at once."""

    def __init__(self, out: Any) -> None:
        self._out, self._line = out, ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._out.write(f"{MARK}{line}\n")
        if lines:
            self._out.flush()
        return len(text)


def end_with(pid: int, started: float) -> None:
    """End this process's group when the dbt that started it is gone, killed or not."""
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
            time.sleep(TICK)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def unless_executors(session: Any, seconds: float) -> Iterator[threading.Event]:
    """Cancel jobs that a cluster gives no executor for so long: none came, or all were lost and no other comes.

    Spark itself waits for ever, also when a master that was started again no longer knows the application.

    Yields:
        What is set when jobs were cancelled.
    """
    context = session.sparkContext
    without, done = threading.Event(), threading.Event()

    def watch() -> None:
        last = time.monotonic()
        while not done.wait(TICK):
            # The driver itself is one of them.
            has_some = context._jsc.sc().getExecutorMemoryStatus().size() > 1
            if has_some or not context.statusTracker().getActiveJobsIds():
                last = time.monotonic()
            elif time.monotonic() - last > seconds:
                without.set()
                context.cancelAllJobs()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield without
    finally:
        done.set()
        watcher.join()


def _ui(session: Any) -> str:
    """The address of the driver's own UI, with the key that it asks for."""
    from penstock.spark.access.java_classes import FILTER

    context = session.sparkContext
    file = context.getConf().get(f"spark.{FILTER}.param.file")
    return f"{context.uiWebUrl}/?key={Path(file).read_text().strip()}" if file else str(context.uiWebUrl)


def main(folder: Path) -> int:
    """Run the job in a folder; the exit code."""
    from pyspark.sql import SparkSession

    from penstock.plans.rest_api import SparkRestApi
    from penstock.python_runtime.job import Job
    from penstock.python_runtime.model_errors import ModelError
    from penstock.python_runtime.runner import run

    data = json.loads((folder / "job.json").read_text())
    job = Job.loads(json.dumps(data["job"]))
    end_with(*data["parent"])
    out = sys.stdout
    session = SparkSession.builder.enableHiveSupport().getOrCreate()
    session.sparkContext.setJobDescription(job.node)
    print(f"Spark UI of {job.node}: {session.sparkContext.uiWebUrl}", flush=True)
    sys.stdout = Marked(out)
    error, plan = None, ""
    wait = data.get("wait")
    watched = unless_executors(session, wait["seconds"]) if wait else contextlib.nullcontext(threading.Event())

    def keep(text: str) -> None:
        nonlocal plan
        plan = text

    with watched as without:
        try:
            run(job, session, print, keep if data["plan"] else None)
        except ModelError as wrong:
            error = wait["error"] if without.is_set() else str(wrong)
        finally:
            sys.stdout = out
    executed = None
    if data["plan"]:
        with contextlib.suppress(OSError):
            executed = SparkRestApi(_ui(session)).executed_plan(lambda _: True)
    result = {"error": error, "explained": plan, "executed": executed and asdict(executed)}
    (folder / "result.json").write_text(json.dumps(result))
    session.stop()
    return 1 if error else 0


if __name__ == "__main__":
    # The script's own folder: its modules are the package's, not names of their own.
    sys.path.pop(0)
    sys.exit(main(Path(sys.argv[1])))
