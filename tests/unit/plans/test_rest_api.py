"""The REST API returns the execution that wrote a node's rows, with its stages."""

from __future__ import annotations

import urllib.error
from email.message import Message
from typing import Any

import pytest

from penstock.plans.rest_api import SparkRestApi, Stage, candidates


def execution(number: int, start: str, milliseconds: int, jobs: list[int], description: str = "a") -> dict[str, Any]:
    submitted = f"2026-01-31T12:00:{start}GMT"
    return {
        "id": number,
        "submissionTime": submitted,
        "duration": milliseconds,
        "successJobIds": jobs,
        "description": description,
    }


WRITE = execution(5, "00.000", 4000, [])
QUERY = execution(6, "00.200", 3000, [1, 2])
COMMIT = execution(7, "01.000", 500, [3])
DELTAS = execution(8, "00.300", 500, [4], "Delta: a")
STATISTICS = execution(9, "06.000", 50, [5])


@pytest.mark.parametrize(
    ("executions", "number"),
    [
        ([WRITE, QUERY, COMMIT, DELTAS, STATISTICS], 6),
        ([STATISTICS, DELTAS, COMMIT, QUERY, WRITE], 6),
        ([QUERY], 6),
        ([QUERY, STATISTICS], 9),
        ([WRITE, STATISTICS], 9),
        ([WRITE, DELTAS], None),
        ([], None),
        # The second run of a node counts, not the first.
        ([execution(1, "00.000", 9, []), execution(2, "00.001", 5, [0]), WRITE, QUERY], 6),
    ],
)
def test_the_query_inside_the_newest_write_is_chosen(executions: list[dict[str, Any]], number: int | None) -> None:
    chosen = candidates(executions)
    assert (chosen[0]["id"] if chosen else None) == number


def test_every_execution_inside_a_write_may_be_its_query() -> None:
    """`replace where` lists the files to replace before its query runs."""
    listing = execution(10, "00.100", 50, [6])
    assert [item["id"] for item in candidates([WRITE, listing, QUERY, COMMIT, DELTAS, STATISTICS])] == [6, 7, 10]
    late = execution(6, "00.500", 3000, [1, 2])
    listed = execution(5, "00.100", 50, [6])
    assert [item["id"] for item in candidates([execution(4, "00.000", 4000, []), late, listed])] == [5, 6]


def test_an_address_without_a_server_raises_an_os_error() -> None:
    with pytest.raises(OSError):
        SparkRestApi("http://127.0.0.1:9").executed_plan(lambda _: True)


@pytest.mark.parametrize(("median", "longest", "skew"), [(0.5, 2.0, 4.0), (0.0, 3.0, 1.0), (1.0, 1.0, 1.0)])
def test_skew_is_the_ratio_of_the_longest_task_to_the_median(median: float, longest: float, skew: float) -> None:
    assert Stage(1, 4, 3.0, median, longest, 0, 0, 0, 0, 0).skew == skew


def test_a_stage_that_the_ui_has_dropped_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with many stages drops the skipped ones; the executed plan is still returned."""
    answers: dict[str, Any] = {
        "sql?": [{**QUERY, "status": "COMPLETED"}],
        "sql/6?": {**QUERY, "planDescription": "plan", "nodes": []},
        "jobs/1": {"stageIds": [1, 2]},
        "stages/2?": [
            {
                **{"stageId": 2, "status": "COMPLETE", "numCompleteTasks": 4},
                **{
                    "firstTaskLaunchedTime": "2026-01-31T12:00:00.000GMT",
                    "completionTime": "2026-01-31T12:00:01.000GMT",
                },
                **dict.fromkeys(("inputBytes", "shuffleReadBytes", "shuffleWriteBytes"), 1),
                **dict.fromkeys(("outputBytes", "diskBytesSpilled"), 1),
            }
        ],
    }

    def get(self: SparkRestApi, path: str) -> Any:
        for begin, answer in answers.items():
            if path.startswith(begin):
                return answer
        raise urllib.error.HTTPError(path, 404, "Not Found", Message(), None)

    monkeypatch.setattr(SparkRestApi, "get", get)
    found = SparkRestApi("http://127.0.0.1:9").executed_plan(lambda _: True)
    assert found and found.plan == "plan"
    assert [stage.number for stage in found.stages] == [2]


def test_a_job_tag_chooses_among_executions_with_equal_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Spark Connect the descriptions don't contain the statement."""
    executions = [execution(6, "00.100", 50, [1]), execution(7, "00.200", 50, [2]), execution(8, "00.300", 50, [3])]
    prefix = "SparkConnect_SessionTag_User_u_Session_s_Tag_"
    answers: dict[str, Any] = {
        "sql?": [{**item, "status": "COMPLETED"} for item in executions],
        "sql/7?": {**executions[1], "planDescription": "plan", "nodes": []},
        "jobs/2": {"stageIds": []},
        "jobs": [
            {"jobId": 1, "jobTags": [f"{prefix}model.p.a:run"]},
            {"jobId": 2, "jobTags": [f"{prefix}model.p.b:run"]},
            {"jobId": 3, "jobTags": []},
        ],
    }
    monkeypatch.setattr(
        SparkRestApi, "get", lambda self, path: next(value for key, value in answers.items() if path.startswith(key))
    )
    found = SparkRestApi("http://127.0.0.1:9").executed_plan(lambda _: True, "model.p.b:run")
    assert found and found.execution == 7
