"""Query Spark's UI and REST API for the jobs and sessions on a server."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.plans.rest_api import SparkRestApi
from penstock.spark.access import secret
from penstock.spark.server import control
from tests.support.forked_commands import Started
from tests.support.polling import wait_until


class HasServer(Protocol):
    """A project whose settings name a server."""

    @property
    def settings(self) -> Settings: ...


def api(project: HasServer, path: str) -> Any:
    """Return the REST API's response for a path below the server's application."""
    running = control.current(project.settings)
    assert running
    return SparkRestApi(running.ui_link).get(path)


def jobs(project: HasServer, status: str = "") -> list[str]:
    """Return the descriptions of all Spark jobs, or of the jobs with a status."""
    return [job.get("description") or "" for job in api(project, f"jobs?status={status}" if status else "jobs")]


def sessions(project: HasServer, protocol: str = "sqlserver") -> tuple[int, int]:
    """Return the numbers of open sessions and of running statements of Thrift (`sqlserver`) or Connect (`connect`).

    These numbers come from the UI's pages, because the REST API doesn't have them.
    """
    running = control.current(project.settings)
    assert running
    key = {"Authorization": f"Bearer {secret.ui_key(running.token)}"}
    request = urllib.request.Request(f"{running.ui}/{protocol}/", headers=key)
    with urllib.request.urlopen(request) as answer:
        page = " ".join(re.sub(r"<[^>]*>", " ", answer.read().decode()).split())
    found = re.search(r"(\d+) session\(s\) are online, running (\d+) ", page)
    assert found, page[:500]
    return int(found[1]), int(found[2])


def wait_for_job(project: HasServer, word: str, process: subprocess.Popen[str] | Started) -> None:
    """Wait until a job whose description contains a word runs."""

    def runs() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return any(word in text for text in jobs(project, "running"))

    wait_until(runs, f"a job of {word}")


def wait_for_no_job(project: HasServer, word: str) -> None:
    """Wait until no job whose description contains a word runs."""
    wait_until(lambda: not any(word in text for text in jobs(project, "running")), f"the end of the jobs of {word}")
