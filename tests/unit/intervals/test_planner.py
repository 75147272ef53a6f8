"""The commits that a run plans for an interval model."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from penstock.errors import PenstockError
from penstock.intervals import run_marker
from penstock.intervals.commit_metadata import CommitMetadata
from penstock.intervals.ledger_table import LedgerState
from penstock.intervals.staleness import BuiltInterval
from penstock.intervals.table_commit import TableCommit
from penstock.intervals.table_state import IntervalTable
from penstock.process import Process
from tests.unit.intervals.planner_project import APRIL, FEBRUARY, JANUARY, MARCH, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_first_build_in_commits(project: Project) -> None:
    """As many intervals a commit as the model allows, each with the versions of its inputs and their rows."""
    plan = project.plan("checked", exists=False)
    assert [commit.intervals for commit in plan.commits] == [(JANUARY, FEBRUARY), (MARCH,)]
    first = plan.commits[0]
    assert first.commit.intervals == {
        JANUARY: {"lake.green": "g1"},
        FEBRUARY: {"lake.green": "g2", "lake.yellow": "y2"},
    }
    assert first.condition == "(month >= date'2024-01-01' and month < date'2024-03-01')"
    assert CommitMetadata.loads(first.metadata) == first.commit
    assert (plan.summary, plan.warning) == ("built 2024-01..2024-03", "")
    assert not first.full_refresh and len({commit.commit.commit_id for commit in plan.commits}) == 2
    assert first.model.rows_in(FEBRUARY, first.commit.intervals[FEBRUARY]) == 20
    assert project.lake.verified == {"green": {JANUARY, FEBRUARY, MARCH}, "yellow": {JANUARY, FEBRUARY, MARCH}}


def test_nothing_is_stale(project: Project) -> None:
    project.build("checked")
    plan = project.plan("checked")
    assert (plan.commits, plan.summary, plan.warning) == ((), "unchanged, 3 months", "")
    assert project.lake.verified == {"green": set(), "yellow": set()}, "only files that are read are verified"


def test_changed_new_and_removed_months(project: Project) -> None:
    project.build("checked")
    project.lake.live = {"green": {FEBRUARY: "other"}, "yellow": {FEBRUARY: "y2", MARCH: "y3", APRIL: "y4"}}
    plan = project.plan("checked")
    assert {day: reason for commit in plan.commits for day, reason in commit.reasons.items()} == {
        JANUARY: "removed",
        FEBRUARY: "lake.green changed",
        APRIL: "new",
    }
    assert plan.commits[0].commit.removed == (JANUARY,) and plan.commits[0].commit.intervals[JANUARY] == {}
    assert plan.summary == "built 2024-02, 2024-04, removed 2024-01"
    assert project.lake.verified["green"] == {FEBRUARY, APRIL}, "a removed month needs no file"


def test_the_version_of_an_upstream_model_is_its_commit(project: Project) -> None:
    project.build("checked")
    commits = {day: built.commit_id for day, built in project.built("checked").items()}
    plan = project.plan("facts", exists=False)
    assert plan.commits[0].commit.intervals == {day: {"w.checked": commit_id} for day, commit_id in commits.items()}
    assert plan.commits[0].model.rows_in(JANUARY, {"w.checked": "b"}) == 7
    project.build("facts")
    upstream = project.built("checked")
    upstream[FEBRUARY] = replace(upstream[FEBRUARY], commit_id="rebuilt")
    assert [commit.intervals for commit in project.plan("facts").commits] == [(FEBRUARY,)]


def test_an_early_month_makes_all_later_ones_stale(project: Project) -> None:
    """An input of earlier intervals adds no interval and no rows, and has one version for each interval."""
    project.build("checked")
    project.build("facts")
    project.build("totals")
    commit = project.plan("totals", full_refresh=True).commits[0]
    before = {day: inputs.get("w.checked before") for day, inputs in commit.commit.intervals.items()}
    assert before[JANUARY] is None and len({before[FEBRUARY], before[MARCH], None}) == 3
    assert commit.model.rows_in(MARCH, commit.commit.intervals[MARCH]) == 7
    assert project.plan("totals").summary == "unchanged, 3 months"
    upstream = project.built("checked")
    upstream[APRIL] = replace(upstream[MARCH], commit_id="not yet in facts")
    assert project.plan("totals").summary == "unchanged, 3 months"
    upstream[JANUARY] = replace(upstream[JANUARY], commit_id="late")
    changed = project.plan("totals").commits[0].reasons
    assert changed == dict.fromkeys((FEBRUARY, MARCH), "w.checked before changed")


def test_a_deferred_model_is_read_in_its_environment(project: Project) -> None:
    """Its intervals are those of the other environment's table, under that table's name."""
    project.build("checked")
    project.ledger.tables = {"prod.checked": project.ledger.tables["w.checked"]}
    project.graph.deferred = {"checked": "prod.checked"}
    plan = project.plan("facts", exists=False)
    assert {name for inputs in plan.commits[0].commit.intervals.values() for name in inputs} == {"prod.checked"}
    assert plan.summary == "built 2024-01..2024-03"


def test_rows_of_unknown_intervals_are_refused(project: Project) -> None:
    """An empty upstream table has no intervals; the rows of a clone would be left out without a message."""
    project.ledger.tables["w.checked"] = IntervalTable("id", "month")
    assert project.plan("facts", exists=False).summary == "no intervals in the inputs"
    project.rows = [(1,)]
    with pytest.raises(PenstockError) as caught:
        project.plan("facts", exists=False)
    assert "needed: the intervals of w.checked, which was built by interval" in str(caught.value)
    assert "do: build it here: `dbt run --select checked`" in str(caught.value)


def test_a_model_and_its_input_may_have_different_grains(project: Project) -> None:
    """A day is built from the month that it is in, a month from the commits of all its days."""
    days = project.plan("daily", exists=False)
    intervals = [day for commit in days.commits for day in commit.intervals]
    assert len(intervals) == 31 + 29 and len(days.commits) == 5
    assert days.summary == "built 2024-01-01..2024-02-29"
    project.build("daily")
    plan = project.plan("by_month", exists=False)
    assert plan.commits[0].intervals == (JANUARY, FEBRUARY)
    assert len(plan.commits[0].commit.intervals[JANUARY]["w.daily"].split()) == 31
    project.build("by_month")
    upstream = project.built("daily")
    upstream[date(2024, 2, 29)] = replace(upstream[date(2024, 2, 29)], commit_id="rebuilt")
    assert [commit.intervals for commit in project.plan("by_month").commits] == [(FEBRUARY,)]


def test_only_the_first_commit_replaces_the_table(project: Project) -> None:
    """In a full refresh, and when the table was not built by interval or by intervals of another length."""
    project.build("checked")
    for full_refresh in (True, False):
        plan = project.plan("checked", full_refresh=full_refresh)
        assert [commit.full_refresh for commit in plan.commits] == [True, False]
        assert [commit.intervals for commit in plan.commits] == [(JANUARY, FEBRUARY), (MARCH,)]
        project.ledger.tables["w.checked"] = IntervalTable("id", "", LedgerState(9, project.built("checked")))


def test_a_table_without_rows_is_created(project: Project) -> None:
    """The models that read it need it."""
    project.lake.live = {"green": {}, "yellow": {}}
    plan = project.plan("checked", exists=False)
    assert [(commit.intervals, commit.condition) for commit in plan.commits] == [((), "false")]
    assert plan.summary == "no intervals in the inputs"


def test_partial_intervals_are_built_again(project: Project) -> None:
    """An interval that --empty built has another version of its inputs, which names the option."""
    project.build("checked")
    partial = project.plan("checked", partial="--empty")
    assert len(partial.commits) == 2
    for commit in partial.commits:
        for day, inputs in commit.commit.intervals.items():
            project.built("checked")[day] = BuiltInterval("b", inputs, commit.commit.code, 3)
    again = project.plan("checked")
    assert {reason for commit in again.commits for reason in commit.reasons.values()} == {"partial changed"}
    assert partial.commits[0].model.rows_in(JANUARY, {"lake.green": "g1", "partial": "--empty"}) == 10


def test_intervals_of_older_code_are_named_in_a_warning(project: Project) -> None:
    project.build("checked")
    project.graph.upstream["checked"] = replace(project.graph.upstream["checked"], code="other code")
    plan = project.plan("checked")
    assert plan.commits == ()
    assert "checked: 2024-01..2024-03 were built before its code or configuration changed" in plan.warning
    assert "do: `dbt run --select checked --full-refresh`" in plan.warning
    some = project.plan("checked", start=FEBRUARY, end=MARCH)
    assert some.commits[0].reasons == {FEBRUARY: "asked for"}
    assert "2024-01, 2024-03 were built before its code" in some.warning
    project.graph.configs["checked"]["on_code_change"] = "rebuild"
    rebuilt = project.plan("checked")
    assert rebuilt.summary == "built 2024-01..2024-03" and rebuilt.warning == ""


def test_a_foreign_commit_is_named_in_a_warning(project: Project) -> None:
    project.build("checked", foreign=(TableCommit(4, "DELETE"), TableCommit(5, "MERGE")))
    warning = project.plan("checked").warning
    assert "checked: version 4 of w.checked is a DELETE by somebody else" in warning
    assert "version 5 of w.checked is a MERGE by somebody else" in warning
    assert project.plan("checked", full_refresh=True).warning == "", "a full refresh removes its rows"


@pytest.mark.parametrize("committed", [False, True])
def test_a_killed_commit_is_recorded_once(project: Project, committed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Delta has the commit, only its marker is removed."""
    project.build("checked")
    commit_id = project.built("checked")[MARCH].commit_id if committed else "lost"
    started = datetime(2024, 5, 1, tzinfo=timezone.utc)
    run_marker.write(project.folder, "w.checked", commit_id, "run", (MARCH,), started)
    assert project.plan("checked").commits == () and project.ledger.killed == [], "its process still runs"
    monkeypatch.setattr(Process, "handle", lambda self: None)
    project.lake.live["yellow"][MARCH] = "other"
    plan = project.plan("checked")
    assert run_marker.read(project.folder, "w.checked") is None
    if committed:
        assert project.ledger.killed == [] and project.logged == []
        return
    assert [(outcome, killed.commit_id, set(killed.intervals)) for outcome, killed, _ in project.ledger.killed] == [
        ("interrupted", "lost", {MARCH})
    ]
    assert "an earlier run was killed while it built 2024-03; its table is as it was before" in project.logged[0]
    assert plan.commits[0].intervals == (MARCH,)


def test_a_preview_changes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed commit stays unrecorded, files are not verified, and no rows are read."""
    project.build("checked")
    run_marker.write(project.folder, "w.checked", "lost", "run", (MARCH,), datetime(2024, 5, 1, tzinfo=timezone.utc))
    monkeypatch.setattr(Process, "handle", lambda self: None)
    project.lake.live["yellow"][MARCH] = "other"
    project.lake.verified.clear()
    plan = project.plan("checked", read_only=True)
    assert plan.reasons == {MARCH: "lake.yellow changed"} and plan.built == {JANUARY, FEBRUARY, MARCH}
    assert run_marker.read(project.folder, "w.checked") is not None
    assert (project.ledger.killed, project.lake.verified, project.sent) == ([], {}, [])
    project.ledger.tables["w.checked"] = IntervalTable("id", "month")
    project.rows = [{"numFiles": 1}]
    with pytest.raises(PenstockError, match=r"the intervals of w\.checked"):
        project.plan("facts", exists=False, read_only=True)
    assert project.sent == ["describe detail w.checked"]


def test_older_code_is_in_the_plan(project: Project) -> None:
    project.build("checked")
    project.graph.upstream["checked"] = replace(project.graph.upstream["checked"], code="new code")
    assert project.plan("checked").older_code == (JANUARY, FEBRUARY, MARCH)
