"""What Spark's own UI says over REST: for tests of what runs on a server, and what doesn't any more."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from typing import Any

from projects import Project

from penstock.server import control


def api(project: Project, path: str) -> Any:
    """An answer of the UI about the server's application."""
    running = control.current(project.settings)
    assert running
    with urllib.request.urlopen(f"{running.ui}/api/v1/applications") as answer:
        application = json.load(answer)[0]["id"]
    with urllib.request.urlopen(f"{running.ui}/api/v1/applications/{application}/{path}") as answer:
        return json.load(answer)


def jobs(project: Project, status: str = "") -> list[str]:
    """Descriptions of the Spark jobs, of those in a status."""
    return [job.get("description") or "" for job in api(project, f"jobs?status={status}" if status else "jobs")]


def wait_for_job(project: Project, word: str, process: subprocess.Popen[str]) -> None:
    """Until a job with this word in its description runs."""
    end = time.monotonic() + 120
    while not any(word in text for text in jobs(project, "running")):
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < end, f"no job of {word}"
        time.sleep(0.1)


def wait_for_no_job(project: Project, word: str) -> None:
    """Until no such job runs any more."""
    end = time.monotonic() + 30
    while left := [text for text in jobs(project, "running") if word in text]:
        assert time.monotonic() < end, left
        time.sleep(0.1)
