"""Who gets into the server of a built project, and what the doctor says of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import psutil
from projects import Project
from waiting import LIMIT

from penstock.server import control

CONNECT = """
import os, sys
from pyspark.sql import SparkSession
try:
    print(SparkSession.builder.remote(sys.argv[1]).create().range(1).count(), flush=True)
    os._exit(0)
except Exception as error:
    print(error, flush=True)
    os._exit(1)  # a session that was refused would be released, with retries, at a normal end
"""


def connect(port: int, token: str) -> tuple[int, str]:
    """Exit code and words of a client of its own."""
    command = [sys.executable, "-c", CONNECT, f"sc://localhost:{port}/;token={token}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    return done.returncode, done.stdout.strip()


def test_connect_asks_for_the_token(sampled: Project) -> None:
    """A wrong token is refused; the record with the right one is readable by its owner only."""
    server = control.current(sampled.settings)
    assert server
    record = sampled.settings.state_dir / "server.json"
    assert record.stat().st_mode & 0o077 == 0
    assert json.loads(record.read_text())["token"] == server.token
    tried = [connect(server.ports.connect, token) for token in (server.token, "wrong")]
    assert tried[0] == (0, "1")
    assert tried[1][0] == 1
    assert re.search("(?i)token|unauthenticated", tried[1][1])
    for process in server.processes:
        assert server.token not in " ".join(psutil.Process(process.pid).cmdline())


def test_doctor_finds_nothing_wrong_here(sampled: Project) -> None:
    """On a machine where the build ran, doctor sees no fault and names the Java in use."""
    done = sampled.penstock("doctor")
    assert done.returncode == 0, done.stdout
    assert "Java" in done.stdout
    assert "bad" not in done.stdout
