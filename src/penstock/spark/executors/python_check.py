"""Print the Python version and the package versions of a server's executors as one line of JSON.

Run as `python -m penstock.spark.executors.python_check PORT EXECUTORS CORES PACKAGE…`, with Spark Connect's token in
the environment. The supervisor runs this module as a separate process, to keep pyspark out of its own memory.
"""

from __future__ import annotations

import json
import sys
from typing import Any

ROUNDS = 5


def main(port: int, executors: int, cores: int, packages: list[str]) -> None:
    """Run small tasks for up to five rounds, and print a summary of the executors that answered."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    def describe(number: int) -> str:
        import importlib.metadata as metadata
        import os as system
        import socket
        import sys as interpreter
        import time

        time.sleep(0.1)
        versions = {}
        for name in packages:
            try:
                versions[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                versions[name] = ""
        # All Python workers of an executor have the same parent process, so its id identifies the executor.
        executor = f"{socket.gethostname()} {system.getppid()}"
        return json.dumps([executor, f"{interpreter.version_info[0]}.{interpreter.version_info[1]}", versions])

    session = SparkSession.builder.remote(f"sc://localhost:{port}").create()
    answer_of = F.udf(describe, "string")
    answers: dict[str, Any] = {}
    for _ in range(ROUNDS):
        tasks = 2 * executors * cores
        for row in session.range(0, tasks, 1, tasks).select(answer_of("id").alias("answer")).collect():
            executor, python, versions = json.loads(row["answer"])
            answers[executor] = (python, versions)
        if len(answers) >= executors:
            break
    # All executors should have the same versions. If their versions differ, report the lowest version, which the caller
    # refuses.
    lowest = {name: min((versions[name] for _, versions in answers.values())) for name in packages}
    python = sorted({python for python, _ in answers.values()})[0]
    print(json.dumps({"executors": len(answers), "python": python, "packages": lowest}), flush=True)
    session.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
