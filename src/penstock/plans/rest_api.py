"""Read executed plans from Spark's REST API: https://spark.apache.org/docs/latest/monitoring.html#rest-api

The Spark UI keeps the last SQL executions of its application (300 on penstock's servers:
`spark.sql.ui.retainedExecutions`). For each execution, the API returns its final plan after adaptive
execution, the metrics of every operator, and its jobs.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

TIMEOUT_SECONDS = 10
MAX_EXECUTIONS = 10_000
# This text occurs in the plan of an execution that only reads Delta's list of files.
FILE_LISTING = "Delta Table State"
DELTA_INTERNAL = "Delta: "


@dataclass(frozen=True)
class Stage:
    """A completed stage: its tasks, the bytes that it read and wrote, and how evenly the tasks ran.

    Attributes:
        seconds: from the start of its first task to the end of its last task.
        task_median, task_longest: seconds per task.
        read, shuffle_read, shuffle_written, written: bytes.
        spilled: bytes written to disk because they did not fit in memory.
    """

    number: int
    tasks: int
    seconds: float
    task_median: float
    task_longest: float
    read: int
    shuffle_read: int
    shuffle_written: int
    written: int
    spilled: int

    @property
    def skew(self) -> float:
        """Return the ratio of the longest task to the median task; 1 is even."""
        return self.task_longest / self.task_median if self.task_median else 1.0


@dataclass(frozen=True)
class ExecutedPlan:
    """A statement as Spark ran it.

    Attributes:
        execution: the number of the SQL execution in the Spark UI.
        plan: EXPLAIN FORMATTED of the final plan.
        seconds: duration of the whole execution.
        metrics: the title of each operator and its metrics (text by name), in the order of the API, which is
            the order of the plan reversed: the root is last.
        stages: the completed stages that the UI still keeps, without skipped ones.
        started: start time, as in `2026-01-31T12:00:00.000GMT`; empty when unknown.
    """

    execution: int
    plan: str
    seconds: float
    metrics: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    started: str = ""


class SparkRestApi:
    """The REST API of the one application behind a Spark UI.

    Args:
        ui: address of the UI, `http://127.0.0.1:4040`; with `/?key=KEY` when the UI requires a key.
    """

    def __init__(self, ui: str) -> None:
        address = urllib.parse.urlsplit(ui)
        key = urllib.parse.parse_qs(address.query).get("key", [""])[0]
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._base = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}/api/v1/applications"
        self._application = ""

    def _request(self, path: str) -> Any:
        request = urllib.request.Request(f"{self._base}{path}", headers=self._headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return json.load(response)

    def get(self, path: str) -> Any:
        """Return the JSON at a path below the application's id.

        Raises:
            OSError: the server does not respond, or responds with an error.
        """
        if not self._application:
            self._application = self._request("")[0]["id"]
        return self._request(f"/{self._application}/{path}")

    def executed_plan(self, matches: Callable[[str], bool], job_tag: str = "") -> ExecutedPlan | None:
        """Return the newest write whose description matches, or else the newest matching statement with jobs.

        Args:
            matches: returns whether an execution's description belongs to the statement.
            job_tag: a tag of the statement's jobs on Spark Connect, or empty to choose by the description alone.

        Returns:
            The plan; None if no execution matches, or if a matching execution is still running.

        Raises:
            OSError: the server does not respond.
        """
        try:
            executions = self.get(f"sql?details=false&planDescription=false&length={MAX_EXECUTIONS}")
            matching = [item for item in executions if matches(item["description"])]
            chosen = candidates(self._tagged(matching, job_tag) if job_tag else matching)
            if not chosen or any(item["status"] == "RUNNING" for item in chosen):
                return None
            detailed = (self.get(f"sql/{item['id']}?details=true&planDescription=true") for item in chosen)
            execution = next((item for item in detailed if FILE_LISTING not in item["planDescription"]), None)
            if execution is None:
                return None
            return ExecutedPlan(
                execution["id"],
                execution["planDescription"],
                execution["duration"] / 1000,
                [(node["nodeName"], {m["name"]: m["value"] for m in node["metrics"]}) for node in execution["nodes"]],
                self._stages(execution["successJobIds"]),
                execution["submissionTime"],
            )
        except (urllib.error.HTTPError, ValueError, KeyError, IndexError):
            return None  # This version of Spark answers in another format.

    def _tagged(self, executions: list[dict[str, Any]], tag: str) -> list[dict[str, Any]]:
        """Return the executions whose jobs have a tag, and those without jobs, which may enclose a tagged execution."""
        jobs = {
            job["jobId"] for job in self.get("jobs") if any(text.endswith(f"_Tag_{tag}") for text in job["jobTags"])
        }
        return [item for item in executions if not item["successJobIds"] or jobs.intersection(item["successJobIds"])]

    def _get_if_retained(self, path: str) -> Any:
        """Return the JSON at a path, or None if the UI no longer retains it.

        When a UI has too many stages, it drops skipped stages first.
        """
        try:
            return self.get(path)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return None

    def _stages(self, job_ids: list[int]) -> list[Stage]:
        jobs = [job for job_id in job_ids if (job := self._get_if_retained(f"jobs/{job_id}"))]
        numbers = sorted({stage for job in jobs for stage in job["stageIds"]})
        options = "details=false&withSummaries=true&quantiles=0.5,1.0"
        stages = (self._get_if_retained(f"stages/{number}?{options}") for number in numbers)
        return [_stage(attempts[-1]) for attempts in stages if attempts and attempts[-1]["status"] == "COMPLETE"]


def _time(text: str) -> datetime:
    return datetime.strptime(text.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z")


def candidates(executions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the executions that may have written a node's rows, the likeliest first.

    A write command is an execution that has no jobs itself but encloses other executions. Among the
    enclosed executions, the one that runs the query comes before Delta's own work. For `replace where`, an
    execution that lists the replaced files comes before the query.
    """
    ordered = sorted(executions, key=lambda item: item["id"])
    with_jobs = [
        item for item in ordered if item["successJobIds"] and not item["description"].startswith(DELTA_INTERNAL)
    ]
    for command in reversed(ordered):
        if command["successJobIds"]:
            continue
        start = _time(command["submissionTime"])
        end = start + timedelta(milliseconds=command["duration"])
        enclosed = [
            item for item in with_jobs if item["id"] > command["id"] and start <= _time(item["submissionTime"]) <= end
        ]
        if enclosed:
            return enclosed
    return with_jobs[-1:]


def _stage(data: dict[str, Any]) -> Stage:
    task_times = (data.get("taskMetricsDistributions") or {}).get("duration") or [0, 0]
    started, ended = data.get("firstTaskLaunchedTime"), data.get("completionTime")
    seconds = (_time(ended) - _time(started)).total_seconds() if started and ended else 0.0
    return Stage(
        data["stageId"],
        data["numCompleteTasks"],
        seconds,
        task_times[0] / 1000,
        task_times[-1] / 1000,
        data["inputBytes"],
        data["shuffleReadBytes"],
        data["shuffleWriteBytes"],
        data["outputBytes"],
        data["diskBytesSpilled"],
    )
