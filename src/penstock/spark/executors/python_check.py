"""Ask the executors of a server which Python and packages they have; one JSON line says it.

Called as `python -m penstock.spark.executors.python_check PORT EXECUTORS CORES PACKAGE…`, the token of Spark Connect in
the environment. A process of its own: what it imports would stay with the supervisor for life.
"""

from __future__ import annotations

import json
import sys
from typing import Any

ROUNDS = 5


def main(port: int, executors: int, cores: int, packages: list[str]) -> None:
    """Print what the executors say: of as many as come to answer in a few rounds."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F

    def look(number: int) -> str:
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
        # One process of an executor starts all its Python workers.
        who = f"{socket.gethostname()} {system.getppid()}"
        return json.dumps([who, f"{interpreter.version_info[0]}.{interpreter.version_info[1]}", versions])

    session = SparkSession.builder.remote(f"sc://localhost:{port}").create()
    asked = F.udf(look, "string")
    answered: dict[str, Any] = {}
    for _ in range(ROUNDS):
        tasks = 2 * executors * cores
        for row in session.range(0, tasks, 1, tasks).select(asked("id").alias("said")).collect():
            who, python, versions = json.loads(row["said"])
            answered[who] = (python, versions)
        if len(answered) >= executors:
            break
    # Sent packages lie in every executor or the job failed; of several answers the worst counts.
    found = {name: min((versions[name] for _, versions in answered.values())) for name in packages}
    python = sorted({python for python, _ in answered.values()})[0]
    print(json.dumps({"executors": len(answered), "python": python, "packages": found}), flush=True)
    session.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
