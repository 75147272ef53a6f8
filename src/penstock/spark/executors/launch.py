"""Settings of a cluster's executors, and a check that they start and run the same Python version as this machine.

https://spark.apache.org/docs/latest/configuration.html, sections Application Properties and Scheduling.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from penstock.config import addresses
from penstock.config.settings import Settings
from penstock.errors import PenstockError
from penstock.spark.executors import python_packages

# An executor unpacks archives in its working folder. The Python of a Connect session runs in a subfolder of the
# working folder. So the path contains the archive's folder relative to both folders.
PYTHON_PATH = os.pathsep.join([python_packages.FOLDER, f"../{python_packages.FOLDER}"])
MISMATCH = re.compile(r"Python in worker has different version: (\S+?) than that in driver: (\S+?),")
MISSING = re.compile(r'Cannot run program "([^"]+)"[^\n]*error=2')


def spark_defaults(settings: Settings, jars: list[Path]) -> dict[str, str]:
    """Return Spark's settings for the executors: their number, size, jars and Python packages.

    Args:
        settings: the project's settings.
        jars: the jars that the driver adds to Spark's own jars.
    """
    executors = settings.server.executors
    by_path = {"spark.executor.extraClassPath": os.pathsep.join(map(str, jars))}
    if addresses.is_local(settings.server.master):
        return by_path
    conf = {
        "spark.executor.instances": str(executors.count),
        "spark.executor.cores": str(executors.cores),
        "spark.executor.memory": executors.memory,
        # Without a limit, a standalone master gives all of the cluster's cores to one application.
        "spark.cores.max": str(executors.count * executors.cores),
        "spark.sql.shuffle.partitions": str(max(4, 2 * executors.count * executors.cores)),
    }
    ship = executors.jars == "ship" and jars
    conf.update({"spark.jars": ",".join(jar.as_uri() for jar in jars)} if ship else by_path)
    if executors.packages:
        archive = python_packages.archive_path(executors.packages, settings.shared_dir)
        conf["spark.archives"] = f"{archive.resolve().as_uri()}#{python_packages.FOLDER}"
        conf["spark.executorEnv.PYTHONPATH"] = PYTHON_PATH
    return conf


def python_executable(settings: Settings) -> str:
    """Return the Python that runs UDFs: on a cluster `server.executors.python` if it is set, otherwise this Python."""
    return (None if addresses.is_local(settings.server.master) else settings.server.executors.python) or sys.executable


def pack_packages(settings: Settings) -> None:
    """Create the archive of Python packages for a cluster's executors, if the settings list packages.

    Raises:
        PenstockError: a package can't be packed.
    """
    if settings.server.executors.packages and not addresses.is_local(settings.server.master):
        python_packages.pack(settings.server.executors.packages, settings.shared_dir)


@dataclass(frozen=True)
class ExecutorCheck:
    """The result of a check of the executors.

    Attributes:
        count: the number of executors that answered.
        python: their Python version, for example 3.11; empty with a local master.
    """

    count: int
    python: str


def check_executors(settings: Settings, port: int, token: str) -> ExecutorCheck:
    """Run a small Python job on the executors of a running server. With a local master there is nothing to check.

    Args:
        settings: the project's settings.
        port: Spark Connect's port on this machine.
        token: Spark Connect's token.

    Raises:
        PenstockError: no executor started in time, or the executors have another Python version, no Python, or another
            version of a package.
    """
    if addresses.is_local(settings.server.master):
        return ExecutorCheck(0, "")
    executors = settings.server.executors
    packages = python_packages.closure(executors.packages)
    begin = time.monotonic()
    command = [sys.executable, "-m", "penstock.spark.executors.python_check"]
    try:
        done = subprocess.run(
            [*command, str(port), str(executors.count), str(executors.cores), *packages],
            env={**os.environ, "SPARK_CONNECT_AUTHENTICATE_TOKEN": token},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=executors.wait_seconds,
        )
    except subprocess.TimeoutExpired:
        raise no_executor_error(
            settings.server.master, executors.count, executors.cores, executors.memory, executors.wait_seconds
        ) from None
    if done.returncode:
        raise _python_error(settings, done.stdout + done.stderr, time.monotonic() - begin)
    answer = json.loads(done.stdout.splitlines()[-1])
    versions: dict[str, str] = answer["packages"]
    if different := sorted(name for name, version in versions.items() if version != packages[name].version):
        found = ", ".join(f"{name} {versions[name] or 'not there'}" for name in different)
        do = f"see PYTHONPATH of {python_executable(settings)} there"
        raise PenstockError("the packages of server.executors on the executors", found, do)
    return ExecutorCheck(answer["executors"], answer["python"])


def no_executor_error(master: str, count: int, cores: int, memory: str, seconds: float) -> PenstockError:
    """Return the error for a cluster that starts no executor.

    Args:
        master: the cluster's master.
        count: the number of requested executors.
        cores: the number of cores of each executor.
        memory: the memory of each executor, for example 2g.
        seconds: the time that the driver waited.
    """
    return PenstockError(
        f"an executor of {cores} cores and {memory} from {master}",
        f"none in {seconds:g} s ({count} were requested)",
        "see the master's page for free cores and memory; add workers or end applications, ask for less in "
        "server.executors, or wait longer (wait_seconds)",
        entry="no-executor-came",
    )


def _python_error(settings: Settings, output: str, seconds: float) -> PenstockError:
    where = f"the executors of {settings.server.master}"
    if match := MISMATCH.search(output):
        return PenstockError(
            f"Python {match[2].rstrip('.')} on {where}, as here",
            f"Python {match[1].rstrip('.')} ({python_executable(settings)})",
            "set server.executors.python to one of that version, or run penstock with theirs",
            entry="the-executors-have-another-python",
        )
    if match := MISSING.search(output):
        return PenstockError(
            f"a Python on {where}", f"no {match[1]}", "set server.executors.python to one that is there"
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line or "Exception" in line] or lines or ["no output"]
    return PenstockError(f"{where} to run Python", f"{errors[-1][:300]} (after {seconds:.0f} s)", "read its logs")
