"""Which commits a run makes of an interval model, planned on a manifest, a lake and a ledger without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dbt.adapters.penstock.interval_models.manifest_graph import ManifestGraph
from penstock.errors import PenstockError
from penstock.intervals import run_marker
from penstock.intervals.commit_metadata import CommitMetadata, TableCommit
from penstock.intervals.grain import GRAINS, MONTH
from penstock.intervals.ledger_rows import LedgerState
from penstock.intervals.planner import IntervalPlanner
from penstock.intervals.staleness import BuiltInterval, RequestedIntervals
from penstock.intervals.table_state import IntervalTable
from penstock.process import Process

JANUARY, FEBRUARY, MARCH, APRIL = (date(2024, month, 1) for month in range(1, 5))
INTERVAL = {"materialized": "incremental", "incremental_strategy": "interval"}


class Config(SimpleNamespace):
    """A node's configuration."""

    def to_dict(self, omit_none: bool) -> dict[str, Any]:
        return dict(vars(self))


def node(name: str, *parents: str, **config: Any) -> Any:
    """An interval model."""
    return SimpleNamespace(
        unique_id=name,
        name=name,
        resource_type="model",
        schema="w",
        alias=name,
        checksum=SimpleNamespace(checksum=f"text of {name}"),
        config=Config(**{"event_time": "month", **INTERVAL, **config}),
        depends_on=SimpleNamespace(nodes=list(parents), macros=[]),
    )


def source(name: str) -> Any:
    """A dataset of the lake."""
    return SimpleNamespace(unique_id=name, name=name, resource_type="source", schema="lake", identifier=name)


class Lake:
    """Months of two datasets, and which of them were verified."""

    schema, grain, registers = "lake", GRAINS[MONTH], True

    def __init__(self) -> None:
        self.live = {"green": {JANUARY: "g1", FEBRUARY: "g2"}, "yellow": {FEBRUARY: "y2", MARCH: "y3"}}
        self.required: dict[str, set[date]] = {}

    def has_intervals(self, table: str) -> bool:
        return table in self.live

    def register(self, run_sql: Any) -> str:
        return ""

    def versions(self, run: Any, dataset: str) -> dict[date, str]:
        return self.live[dataset]

    def rows(self, run: Any, dataset: str, month: date) -> int:
        return 10 if month in self.live[dataset] else 0

    def verify(self, run: Any, dataset: str, months: set[date]) -> None:
        self.required[dataset] = months


class Ledger:
    """A ledger that knows some tables, and records killed commits."""

    relation = "w.batch_runs"

    def __init__(self) -> None:
        self.tables: dict[str, IntervalTable] = {}
        self.killed: list[tuple[str, CommitMetadata, str]] = []

    def table(self, run: Any, model: Any, refresh: bool = False) -> IntervalTable:
        return self.tables[model.relation]

    def known(self, relation: str) -> IntervalTable | None:
        return self.tables.get(relation)

    def record_failed(
        self, run: Any, model: Any, table: IntervalTable, metadata: CommitMetadata, outcome: str, message: str
    ) -> IntervalTable:
        self.killed.append((outcome, metadata, message))
        return replace(table, state=replace(table.state, failed=dict.fromkeys(metadata.intervals, 1)))


class Stand:
    """A planner with all that it asks."""

    def __init__(self, folder: Path) -> None:
        nodes = [
            node("checked", "green", "yellow", intervals_per_commit=2),
            node("facts", "checked"),
            node("daily", "green", batch_size="day"),
            node("by_month", "daily"),
            node("totals", "facts", "checked", reads_before=["checked"]),
        ]
        self.manifest = SimpleNamespace(
            nodes={item.unique_id: item for item in nodes},
            sources={name: source(name) for name in ("green", "yellow")},
            macros={},
        )
        self.lake, self.ledger, self.logged = Lake(), Ledger(), []  # type: ignore[var-annotated]
        self.folder, self.rows, self.missing = folder, [], set()  # type: ignore[var-annotated]

    def run(self, sql: str) -> list[Any]:
        """Rows of a statement: those of a table that the ledger doesn't know."""
        assert sql.startswith("select 1 from "), sql
        return self.rows

    def plan(self, name: str, exists: bool = True, partial: str = "", **asked: Any) -> Any:
        sources: Any = {"lake": self.lake}
        arguments = SimpleNamespace(defer=bool(self.missing))
        graph = ManifestGraph(
            self.manifest, sources, arguments, lambda database, schema, table: table not in self.missing
        )
        ledger: Any = self.ledger
        planner = IntervalPlanner(ledger, sources, graph, self.run, self.folder, "run", self.logged.append)
        return planner.plan(name, exists, lambda grain: RequestedIntervals(**asked), partial)

    def built(self, name: str, **changes: Any) -> None:
        """A table that holds what a first plan builds."""
        intervals = {
            day: BuiltInterval(commit.commit.commit_id, of, commit.commit.code, 1 + place, 7)
            for place, commit in enumerate(self.plan(name, exists=False).commits)
            for day, of in commit.commit.intervals.items()
        }
        grain = str(self.manifest.nodes[name].config.to_dict(True).get("batch_size", "month"))
        self.ledger.tables[f"w.{name}"] = IntervalTable("id", grain, LedgerState(9, intervals), **changes)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_a_first_build_in_commits(stand: Stand) -> None:
    """As many intervals a commit as the model says, each with what it is made from and the landed rows of it."""
    plan = stand.plan("checked", exists=False)
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
    assert stand.lake.required == {"green": {JANUARY, FEBRUARY, MARCH}, "yellow": {JANUARY, FEBRUARY, MARCH}}


def test_nothing_to_do(stand: Stand) -> None:
    stand.built("checked")
    plan = stand.plan("checked")
    assert (plan.commits, plan.summary, plan.warning) == ((), "unchanged, 3 months", "")
    assert stand.lake.required == {"green": set(), "yellow": set()}, "files that aren't read aren't read"


def test_changed_new_and_removed_months(stand: Stand) -> None:
    stand.built("checked")
    stand.lake.live = {"green": {FEBRUARY: "other"}, "yellow": {FEBRUARY: "y2", MARCH: "y3", APRIL: "y4"}}
    plan = stand.plan("checked")
    assert {day: why for commit in plan.commits for day, why in commit.reasons.items()} == {
        JANUARY: "removed",
        FEBRUARY: "lake.green changed",
        APRIL: "new",
    }
    assert plan.commits[0].commit.removed == (JANUARY,) and plan.commits[0].commit.intervals[JANUARY] == {}
    assert plan.summary == "built 2024-02, 2024-04, removed 2024-01"
    assert stand.lake.required["green"] == {FEBRUARY, APRIL}, "a month that is gone needs no file"


def test_models_read_models_by_their_batches(stand: Stand) -> None:
    stand.built("checked")
    batches = {day: held.commit_id for day, held in stand.ledger.tables["w.checked"].state.built.items()}
    plan = stand.plan("facts", exists=False)
    assert plan.commits[0].commit.intervals == {day: {"w.checked": batch} for day, batch in batches.items()}
    assert plan.commits[0].model.rows_in(JANUARY, {"w.checked": "b"}) == 7
    stand.built("facts")
    held = stand.ledger.tables["w.checked"].state.built
    held[FEBRUARY] = replace(held[FEBRUARY], commit_id="rebuilt")
    assert [commit.intervals for commit in stand.plan("facts").commits] == [(FEBRUARY,)]


def test_an_early_month_changes_all_later_ones(stand: Stand) -> None:
    """Of an input that is read up to an interval: no interval of its own, no rows, and one content for each."""
    stand.built("checked")
    stand.built("facts")
    stand.built("totals")
    commit = stand.plan("totals", full_refresh=True).commits[0]
    before = {day: of.get("w.checked before") for day, of in commit.commit.intervals.items()}
    assert before[JANUARY] is None and len({before[FEBRUARY], before[MARCH], None}) == 3
    assert commit.model.rows_in(MARCH, commit.commit.intervals[MARCH]) == 7
    assert stand.plan("totals").summary == "unchanged, 3 months"
    held = stand.ledger.tables["w.checked"].state.built
    held[APRIL] = replace(held[MARCH], commit_id="not yet in facts")
    assert stand.plan("totals").summary == "unchanged, 3 months"
    held[JANUARY] = replace(held[JANUARY], commit_id="late")
    changed = stand.plan("totals").commits[0].reasons
    assert changed == dict.fromkeys((FEBRUARY, MARCH), "w.checked before changed")


def test_what_is_read_before_is_an_input_with_intervals(stand: Stand) -> None:
    stand.manifest.nodes["totals"].config.reads_before = ["checked", "zones"]
    with pytest.raises(PenstockError) as caught:
        stand.plan("totals", exists=False)
    assert "needed: models of the strategy interval that totals refers to as its reads_before" in str(caught.value)
    assert "found: zones. do: name some of checked, facts" in str(caught.value)


def test_a_deferred_model_is_read_where_it_lies(stand: Stand) -> None:
    """Its intervals are those of the other environment's table, under that name."""
    stand.built("checked")
    stand.ledger.tables = {"prod.checked": stand.ledger.tables["w.checked"]}
    stand.manifest.nodes["checked"].defer_relation = SimpleNamespace(schema="prod", alias="checked")
    stand.manifest.nodes["checked"].database = None
    stand.missing = {"checked"}
    plan = stand.plan("facts", exists=False)
    assert {name for of in plan.commits[0].commit.intervals.values() for name in of} == {"prod.checked"}
    assert plan.summary == "built 2024-01..2024-03"


def test_rows_that_nobody_knows_the_intervals_of_are_refused(stand: Stand) -> None:
    """An empty table is one without intervals; a clone's rows would be passed over in silence."""
    stand.ledger.tables["w.checked"] = IntervalTable("id", "month")
    assert stand.plan("facts", exists=False).summary == "no intervals in the inputs"
    stand.rows = [(1,)]
    with pytest.raises(PenstockError) as caught:
        stand.plan("facts", exists=False)
    assert "needed: the intervals of w.checked, which was built by interval" in str(caught.value)
    assert "do: build it here: `dbt run --select checked`" in str(caught.value)


def test_grains_meet(stand: Stand) -> None:
    """Days are made from the month they lie in, months from every day's batch."""
    days = stand.plan("daily", exists=False)
    intervals = [day for commit in days.commits for day in commit.intervals]
    assert len(intervals) == 31 + 29 and len(days.commits) == 5
    assert days.summary == "built 2024-01-01..2024-02-29"
    stand.built("daily")
    plan = stand.plan("by_month", exists=False)
    assert plan.commits[0].intervals == (JANUARY, FEBRUARY)
    assert len(plan.commits[0].commit.intervals[JANUARY]["w.daily"].split()) == 31
    stand.built("by_month")
    held = stand.ledger.tables["w.daily"].state.built
    held[date(2024, 2, 29)] = replace(held[date(2024, 2, 29)], commit_id="rebuilt")
    assert [commit.intervals for commit in stand.plan("by_month").commits] == [(FEBRUARY,)]


def test_a_table_is_made_anew_once(stand: Stand) -> None:
    """A full refresh, or a table of another grain or of something else: the first commit takes all away."""
    stand.built("checked")
    for asked in ({"full_refresh": True}, {}):
        plan = stand.plan("checked", **asked)
        assert [commit.full_refresh for commit in plan.commits] == [True, False]
        assert [commit.intervals for commit in plan.commits] == [(JANUARY, FEBRUARY), (MARCH,)]
        stand.ledger.tables["w.checked"] = IntervalTable(
            "id", "", LedgerState(9, stand.ledger.tables["w.checked"].state.built)
        )


def test_a_table_without_rows_is_made_all_the_same(stand: Stand) -> None:
    """What reads it finds it there."""
    stand.lake.live = {"green": {}, "yellow": {}}
    plan = stand.plan("checked", exists=False)
    assert [(commit.intervals, commit.condition) for commit in plan.commits] == [((), "false")]
    assert plan.summary == "no intervals in the inputs"


def test_parts_are_built_again(stand: Stand) -> None:
    """What --empty built is not what the inputs say, and says so."""
    stand.built("checked")
    parts = stand.plan("checked", partial="--empty")
    assert len(parts.commits) == 2
    for commit in parts.commits:
        for day, of in commit.commit.intervals.items():
            stand.ledger.tables["w.checked"].state.built[day] = BuiltInterval("b", of, commit.commit.code, 3)
    again = stand.plan("checked")
    assert {why for commit in again.commits for why in commit.reasons.values()} == {"partial changed"}
    assert parts.commits[0].model.rows_in(JANUARY, {"lake.green": "g1", "partial": "--empty"}) == 10


def test_other_code_is_warned_of(stand: Stand) -> None:
    stand.built("checked")
    stand.manifest.nodes["checked"].checksum.checksum = "other text"
    plan = stand.plan("checked")
    assert plan.commits == ()
    assert "checked: code changed since 2024-01..2024-03 were built" in plan.warning
    assert "do: `dbt run --select checked --full-refresh`" in plan.warning
    some = stand.plan("checked", start=FEBRUARY, end=MARCH)
    assert some.commits[0].reasons == {FEBRUARY: "asked for"}
    assert "code changed since 2024-01, 2024-03 were built" in some.warning
    stand.manifest.nodes["checked"].config.on_code_change = "rebuild"
    rebuilt = stand.plan("checked")
    assert rebuilt.summary == "built 2024-01..2024-03" and rebuilt.warning == ""


def test_somebody_elses_change_is_warned_of(stand: Stand) -> None:
    stand.built("checked", foreign=(TableCommit(4, "DELETE"), TableCommit(5, "MERGE")))
    warning = stand.plan("checked").warning
    assert "checked: version 4 of w.checked is a DELETE by somebody else" in warning
    assert "version 5 of w.checked is a MERGE by somebody else" in warning
    assert stand.plan("checked", full_refresh=True).warning == "", "nothing of it is left afterwards"


@pytest.mark.parametrize("landed", [False, True])
def test_a_killed_batch_is_told_once(stand: Stand, landed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its commit came about: then the note is all that was left behind."""
    stand.built("checked")
    state = stand.ledger.tables["w.checked"].state
    batch = state.built[MARCH].commit_id if landed else "lost"
    started = datetime(2024, 5, 1, tzinfo=timezone.utc)
    run_marker.write(stand.folder, "w.checked", batch, "run", (MARCH,), started)
    assert stand.plan("checked").commits == () and stand.ledger.killed == [], "it still runs"
    monkeypatch.setattr(Process, "handle", lambda self: None)
    stand.lake.live["yellow"][MARCH] = "other"
    plan = stand.plan("checked")
    assert run_marker.read(stand.folder, "w.checked") is None
    if landed:
        assert stand.ledger.killed == [] and stand.logged == []
        return
    assert [(outcome, killed.commit_id, set(killed.intervals)) for outcome, killed, _ in stand.ledger.killed] == [
        ("interrupted", "lost", {MARCH})
    ]
    assert "an earlier run was killed while it built 2024-03; its table is as it was before" in stand.logged[0]
    assert plan.commits[0].intervals == (MARCH,)


def test_what_cant_be_planned_is_refused(stand: Stand) -> None:
    stand.manifest.nodes["facts"].config.event_time = None
    with pytest.raises(PenstockError, match="needed: the column that tells a row's interval as event_time of facts"):
        stand.plan("facts", exists=False)
    stand.manifest.nodes["checked"].depends_on.nodes = []
    with pytest.raises(PenstockError, match="found: nothing"):
        stand.plan("checked", exists=False)
