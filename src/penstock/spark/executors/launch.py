"""The executors of a cluster: what they are started with, and whether they came and agree with this Python.

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

# An executor unpacks archives in its working folder; the Python of a Connect session runs in one below it.
PYTHON_PATH = os.pathsep.join([python_packages.FOLDER, f"../{python_packages.FOLDER}"])
MISMATCH = re.compile(r"Python in worker has different version: (\S+?) than that in driver: (\S+?),")
MISSING = re.compile(r'Cannot run program "([^"]+)"[^\n]*error=2')


def spark_defaults(settings: Settings, jars: list[Path]) -> dict[str, str]:
    """Spark's settings of the executors: how many, how large, their jars and packages.

    Args:
        jars: of the table formats; on the driver they are on its class path.
    """
    asked = settings.server.executors
    by_path = {"spark.executor.extraClassPath": os.pathsep.join(map(str, jars))}
    if addresses.is_local(settings.server.master):
        return by_path
    own = {
        "spark.executor.instances": str(asked.count),
        "spark.executor.cores": str(asked.cores),
        "spark.executor.memory": asked.memory,
        # A standalone master gives an application all it has, unless it asks for less.
        "spark.cores.max": str(asked.count * asked.cores),
        "spark.sql.shuffle.partitions": str(max(4, 2 * asked.count * asked.cores)),
    }
    own.update({"spark.jars": ",".join(jar.as_uri() for jar in jars)} if asked.jars == "ship" and jars else by_path)
    if asked.packages:
        archive = python_packages.path(asked.packages, settings.shared_dir)
        own["spark.archives"] = f"{archive.resolve().as_uri()}#{python_packages.FOLDER}"
        own["spark.executorEnv.PYTHONPATH"] = PYTHON_PATH
    return own


def python(settings: Settings) -> str:
    """The Python that runs UDFs: this one, unless executors elsewhere have another."""
    return (None if addresses.is_local(settings.server.master) else settings.server.executors.python) or sys.executable


def prepare(settings: Settings) -> None:
    """Make what the executors are sent.

    Raises:
        PenstockError: a package that can't be sent.
    """
    if settings.server.executors.packages and not addresses.is_local(settings.server.master):
        python_packages.pack(settings.server.executors.packages, settings.shared_dir)


@dataclass(frozen=True)
class Answer:
    """What the executors said.

    Attributes:
        count: how many answered.
        python: their version, as in 3.11.
    """

    count: int
    python: str


def ask(settings: Settings, port: int, token: str) -> Answer:
    """Have the executors of a server that is up run a little Python.

    Args:
        port: of Spark Connect on this machine.
        token: of that.

    Raises:
        PenstockError: none came in time; they have another Python, or none; or lack a package that was sent.
    """
    asked = settings.server.executors
    begin = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "penstock.spark.executors.python_check",
        str(port),
        str(asked.count),
        str(asked.cores),
    ]
    try:
        done = subprocess.run(
            [*command, *python_packages.closure(asked.packages)],
            env={**os.environ, "SPARK_CONNECT_AUTHENTICATE_TOKEN": token},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=asked.wait_seconds,
        )
    except subprocess.TimeoutExpired:
        raise none_came(settings.server.master, asked.count, asked.cores, asked.memory, asked.wait_seconds) from None
    if done.returncode:
        raise _explained(settings, done.stdout + done.stderr, time.monotonic() - begin)
    said = json.loads(done.stdout.splitlines()[-1])
    here = {name: item.version for name, item in python_packages.closure(asked.packages).items()}
    if other := sorted(name for name, version in said["packages"].items() if version != here[name]):
        found = ", ".join(f"{name} {said['packages'][name] or 'not there'}" for name in other)
        raise PenstockError(
            "the packages of server.executors on the executors", found, f"see PYTHONPATH of {python(settings)} there"
        )
    return Answer(said["executors"], said["python"])


def none_came(master: str, count: int, cores: int, memory: str, seconds: float) -> PenstockError:
    """The error when a cluster gives no executor."""
    return PenstockError(
        f"an executor of {cores} cores and {memory} from {master}",
        f"none in {seconds:g} s ({count} were asked for)",
        "see the master's page for free cores and memory; add workers or end applications, ask for less in "
        "server.executors, or wait longer (wait_seconds)",
    )


def _explained(settings: Settings, text: str, seconds: float) -> PenstockError:
    where = f"the executors of {settings.server.master}"
    if match := MISMATCH.search(text):
        return PenstockError(
            f"Python {match[2].rstrip('.')} on {where}, as here",
            f"Python {match[1].rstrip('.')} ({python(settings)})",
            "set server.executors.python to one of that version, or run penstock with theirs",
        )
    if match := MISSING.search(text):
        return PenstockError(
            f"a Python on {where}", f"no {match[1]}", "set server.executors.python to one that is there"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if "Error" in line or "Exception" in line] or lines or ["no word"]
    return PenstockError(f"{where} to run Python", f"{wrong[-1][:300]} (after {seconds:.0f} s)", "read its logs")
