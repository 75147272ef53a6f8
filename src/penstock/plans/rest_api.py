"""Executed plans from Spark's REST status: https://spark.apache.org/docs/latest/monitoring.html#rest-api

The UI's server knows the last few hundred SQL executions of its application (300 here:
`spark.sql.ui.retainedExecutions`), each with its plan as adaptive execution left it, what every
operator counted, and its jobs.
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

# Seconds that an answer may take: a plan is worth having, never worth waiting for.
PATIENCE = 10
ALL = 10_000
# In the plan of an execution that only looks for files in Delta's own log.
LISTING = "Delta Table State"
INTERNAL = "Delta: "


@dataclass(frozen=True)
class Stage:
    """A stage that ran: its tasks, bytes, and how uneven the tasks were.

    Attributes:
        seconds: from its first task's start to its last task's end.
        task_median, task_longest: seconds a task.
        read, shuffle_read, shuffle_written, written: bytes.
        spilled: bytes written to disk because they didn't fit in memory.
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
        """The longest task's time by the median one's; 1 is even."""
        return self.task_longest / self.task_median if self.task_median else 1.0


@dataclass(frozen=True)
class Executed:
    """A statement as it ran.

    Attributes:
        execution: its number in Spark's UI.
        plan: EXPLAIN FORMATTED of the plan as it ended.
        seconds: the whole execution.
        metrics: by operator title, in the UI's order (the plan's from its root down, read backwards),
            what it counted: name to text.
        stages: those that ran and that the UI still keeps; skipped ones aren't among them.
        started: when, as in `2026-01-31T12:00:00.000GMT`; empty when it isn't known.
    """

    execution: int
    plan: str
    seconds: float
    metrics: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    started: str = ""


class Status:
    """The REST status of the one application behind a UI.

    Args:
        ui: the UI's address, `http://127.0.0.1:4040`; with `/?key=KEY` where it asks for a key.
    """

    def __init__(self, ui: str) -> None:
        address = urllib.parse.urlsplit(ui)
        key = urllib.parse.parse_qs(address.query).get("key", [""])[0]
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._base = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}/api/v1/applications"
        self._application = ""

    def _get(self, path: str) -> Any:
        asked = urllib.request.Request(f"{self._base}{path}", headers=self._headers)
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        """An answer about the application, by the path after its id.

        Raises:
            OSError: nobody answers, or not with this.
        """
        if not self._application:
            self._application = self._get("")[0]["id"]
        return self._get(f"/{self._application}/{path}")

    def executed(self, matches: Callable[[str], bool]) -> Executed | None:
        """The newest write, or else the newest statement with jobs, whose description matches.

        None when there is none, or it still runs.

        Raises:
            OSError: nobody answers.
        """
        try:
            light = self.get(f"sql?details=false&planDescription=false&length={ALL}")
            chosen = candidates([item for item in light if matches(item["description"])])
            if not chosen or any(item["status"] == "RUNNING" for item in chosen):
                return None
            wholes = (self.get(f"sql/{item['id']}?details=true&planDescription=true") for item in chosen)
            whole = next((item for item in wholes if LISTING not in item["planDescription"]), None)
            if whole is None:
                return None
            return Executed(
                whole["id"],
                whole["planDescription"],
                whole["duration"] / 1000,
                [(n["nodeName"], {m["name"]: m["value"] for m in n["metrics"]}) for n in whole["nodes"]],
                self._stages(whole["successJobIds"]),
                whole["submissionTime"],
            )
        except (urllib.error.HTTPError, ValueError, KeyError, IndexError):
            return None  # too old or too new to be known

    def _still(self, path: str) -> Any:
        """An answer; None for what the UI no longer keeps: of many stages it drops skipped ones first, at once."""
        try:
            return self.get(path)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return None

    def _stages(self, jobs: list[int]) -> list[Stage]:
        known = [found for job in jobs if (found := self._still(f"jobs/{job}"))]
        numbers = sorted({stage for job in known for stage in job["stageIds"]})
        asked = "details=false&withSummaries=true&quantiles=0.5,1.0"
        found = (self._still(f"stages/{number}?{asked}") for number in numbers)
        return [_stage(attempts[-1]) for attempts in found if attempts and attempts[-1]["status"] == "COMPLETE"]


def _moment(text: str) -> datetime:
    return datetime.strptime(text.replace("GMT", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z")


def candidates(executions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a node's executions those that may have done its work, the likeliest first.

    A write by a command is an execution without jobs of its own around others: the one inside that
    runs the query comes first, then what the table's format does for itself; where rows are replaced
    by a condition, after the one that lists the files that go.
    """
    ordered = sorted(executions, key=lambda item: item["id"])
    busy = [item for item in ordered if item["successJobIds"] and not item["description"].startswith(INTERNAL)]
    for root in reversed(ordered):
        if root["successJobIds"]:
            continue
        start = _moment(root["submissionTime"])
        end = start + timedelta(milliseconds=root["duration"])
        inside = [i for i in busy if i["id"] > root["id"] and start <= _moment(i["submissionTime"]) <= end]
        if inside:
            return inside
    return busy[-1:]


def _stage(data: dict[str, Any]) -> Stage:
    times = (data.get("taskMetricsDistributions") or {}).get("duration") or [0, 0]
    started, ended = data.get("firstTaskLaunchedTime"), data.get("completionTime")
    seconds = (_moment(ended) - _moment(started)).total_seconds() if started and ended else 0.0
    return Stage(
        data["stageId"],
        data["numCompleteTasks"],
        seconds,
        times[0] / 1000,
        times[-1] / 1000,
        data["inputBytes"],
        data["shuffleReadBytes"],
        data["shuffleWriteBytes"],
        data["outputBytes"],
        data["diskBytesSpilled"],
    )
