"""Which commits a run makes of an interval model, planned on a manifest, a lake and a ledger without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock.interval_models import inputs
from dbt.adapters.penstock.interval_models import planner as planning
from dbt.adapters.penstock.interval_models.planner import Planner
from dbt.adapters.penstock.interval_models.table_state import Table
from penstock.intervals import run_marker
from penstock.intervals.commit_metadata import Batch, Commit
from penstock.intervals.ledger_rows import State
from penstock.intervals.staleness import Asked, Built
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
    """Months of two datasets, and which of them were asked to be whole."""

    def __init__(self) -> None:
        self.live = {"green": {JANUARY: "g1", FEBRUARY: "g2"}, "yellow": {FEBRUARY: "y2", MARCH: "y3"}}
        self.required: dict[str, set[date]] = {}

    def months(self, run: Any, dataset: str) -> dict[date, str]:
        return self.live[dataset]

    def rows(self, run: Any, dataset: str, month: date) -> int:
        return 10 if month in self.live[dataset] else 0

    def require(self, run: Any, dataset: str, months: set[date]) -> None:
        self.required[dataset] = months


class Book:
    """A ledger that knows some tables, and is told of killed batches."""

    relation = "w.batch_runs"

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.told: list[tuple[str, Batch, str]] = []

    def table(self, run: Any, subject: Any, again: bool = False) -> Table:
        return self.tables[subject.relation]

    def known(self, relation: str) -> Table | None:
        return self.tables.get(relation)

    def unfinished(self, run: Any, subject: Any, table: Table, batch: Batch, outcome: str, why: str) -> Table:
        self.told.append((outcome, batch, why))
        return replace(table, state=replace(table.state, failed=dict.fromkeys(batch.intervals, 1)))


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
        self.lake, self.book, self.said = Lake(), Book(), []  # type: ignore[var-annotated]
        self.folder, self.rows, self.lies = folder, [], lambda node: node  # type: ignore[var-annotated]

    def run(self, sql: str) -> list[Any]:
        """Rows of a statement: those of a table that the ledger doesn't know."""
        assert sql.startswith("select 1 from "), sql
        return self.rows

    def plan(self, name: str, exists: bool = True, partial: str = "", **asked: Any) -> Any:
        planner = Planner(self.book, self.lake, self.manifest, self.run, self.folder, self.said.append, self.lies)  # type: ignore[arg-type]
        return planner.plan(name, exists, lambda grain: Asked(**asked), partial)

    def built(self, name: str, **changes: Any) -> None:
        """A table that holds what a first plan builds."""
        intervals = {
            day: Built(chunk.batch.batch, of, chunk.batch.code, 1 + place, 7)
            for place, chunk in enumerate(self.plan(name, exists=False).chunks)
            for day, of in chunk.batch.intervals.items()
        }
        grain = str(self.manifest.nodes[name].config.to_dict(True).get("batch_size", "month"))
        self.book.tables[f"w.{name}"] = Table("id", grain, State(9, intervals), **changes)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_a_first_build_in_commits(stand: Stand) -> None:
    """As many intervals a commit as the model says, each with what it is made from and the landed rows of it."""
    plan = stand.plan("checked", exists=False)
    assert [chunk.intervals for chunk in plan.chunks] == [(JANUARY, FEBRUARY), (MARCH,)]
    first = plan.chunks[0]
    assert first.batch.intervals == {
        JANUARY: {"lake.green": "g1"},
        FEBRUARY: {"lake.green": "g2", "lake.yellow": "y2"},
    }
    assert first.condition == "(month >= date'2024-01-01' and month < date'2024-03-01')"
    assert Batch.loads(first.metadata) == first.batch
    assert (plan.said, plan.warning) == ("built 2024-01..2024-03", "")
    assert not first.anew and len({chunk.batch.batch for chunk in plan.chunks}) == 2
    assert first.subject.rows_in(FEBRUARY, first.batch.intervals[FEBRUARY]) == 20
    assert stand.lake.required == {"green": {JANUARY, FEBRUARY, MARCH}, "yellow": {JANUARY, FEBRUARY, MARCH}}


def test_nothing_to_do(stand: Stand) -> None:
    stand.built("checked")
    plan = stand.plan("checked")
    assert (plan.chunks, plan.said, plan.warning) == ((), "unchanged, 3 months", "")
    assert stand.lake.required == {"green": set(), "yellow": set()}, "files that aren't read aren't read"


def test_changed_new_and_removed_months(stand: Stand) -> None:
    stand.built("checked")
    stand.lake.live = {"green": {FEBRUARY: "other"}, "yellow": {FEBRUARY: "y2", MARCH: "y3", APRIL: "y4"}}
    plan = stand.plan("checked")
    assert {day: why for chunk in plan.chunks for day, why in chunk.reasons.items()} == {
        JANUARY: "removed",
        FEBRUARY: "lake.green changed",
        APRIL: "new",
    }
    assert plan.chunks[0].batch.gone == (JANUARY,) and plan.chunks[0].batch.intervals[JANUARY] == {}
    assert plan.said == "built 2024-02, 2024-04, removed 2024-01"
    assert stand.lake.required["green"] == {FEBRUARY, APRIL}, "a month that is gone needs no file"


def test_models_read_models_by_their_batches(stand: Stand) -> None:
    stand.built("checked")
    batches = {day: held.batch for day, held in stand.book.tables["w.checked"].state.built.items()}
    plan = stand.plan("facts", exists=False)
    assert plan.chunks[0].batch.intervals == {day: {"w.checked": batch} for day, batch in batches.items()}
    assert plan.chunks[0].subject.rows_in(JANUARY, {"w.checked": "b"}) == 7
    stand.built("facts")
    held = stand.book.tables["w.checked"].state.built
    held[FEBRUARY] = replace(held[FEBRUARY], batch="rebuilt")
    assert [chunk.intervals for chunk in stand.plan("facts").chunks] == [(FEBRUARY,)]


def test_an_early_month_changes_all_later_ones(stand: Stand) -> None:
    """Of an input that is read up to an interval: no interval of its own, no rows, and one content for each."""
    stand.built("checked")
    stand.built("facts")
    stand.built("totals")
    chunk = stand.plan("totals", full=True).chunks[0]
    before = {day: of.get("w.checked before") for day, of in chunk.batch.intervals.items()}
    assert before[JANUARY] is None and len({before[FEBRUARY], before[MARCH], None}) == 3
    assert chunk.subject.rows_in(MARCH, chunk.batch.intervals[MARCH]) == 7
    assert stand.plan("totals").said == "unchanged, 3 months"
    held = stand.book.tables["w.checked"].state.built
    held[APRIL] = replace(held[MARCH], batch="not yet in facts")
    assert stand.plan("totals").said == "unchanged, 3 months"
    held[JANUARY] = replace(held[JANUARY], batch="late")
    changed = stand.plan("totals").chunks[0].reasons
    assert changed == dict.fromkeys((FEBRUARY, MARCH), "w.checked before changed")


def test_what_is_read_before_is_an_input_with_intervals(stand: Stand) -> None:
    stand.manifest.nodes["totals"].config.reads_before = ["checked", "zones"]
    with pytest.raises(DbtRuntimeError) as caught:
        stand.plan("totals", exists=False)
    assert "needed: models of the strategy interval that totals refers to as its reads_before" in str(caught.value)
    assert "found: zones. do: name some of checked, facts" in str(caught.value)


def test_a_deferred_model_is_read_where_it_lies(stand: Stand) -> None:
    """Its intervals are those of the other environment's table, under that name."""
    stand.built("checked")
    stand.book.tables = {"prod.checked": stand.book.tables["w.checked"]}
    stand.lies = lambda node: SimpleNamespace(schema="prod", alias=node.name)
    plan = stand.plan("facts", exists=False)
    assert {name for of in plan.chunks[0].batch.intervals.values() for name in of} == {"prod.checked"}
    assert plan.said == "built 2024-01..2024-03"


def test_rows_that_nobody_knows_the_intervals_of_are_refused(stand: Stand) -> None:
    """An empty table is one without intervals; a clone's rows would be passed over in silence."""
    stand.book.tables["w.checked"] = Table("id", "month")
    assert stand.plan("facts", exists=False).said == "no intervals in the inputs"
    stand.rows = [(1,)]
    with pytest.raises(DbtRuntimeError) as caught:
        stand.plan("facts", exists=False)
    assert "needed: the intervals of w.checked, which was built by interval" in str(caught.value)
    assert "do: build it here: `dbt run --select checked`" in str(caught.value)


def test_grains_meet(stand: Stand) -> None:
    """Days are made from the month they lie in, months from every day's batch."""
    days = stand.plan("daily", exists=False)
    intervals = [day for chunk in days.chunks for day in chunk.intervals]
    assert len(intervals) == 31 + 29 and len(days.chunks) == 5
    assert days.said == "built 2024-01-01..2024-02-29"
    stand.built("daily")
    plan = stand.plan("by_month", exists=False)
    assert plan.chunks[0].intervals == (JANUARY, FEBRUARY)
    assert len(plan.chunks[0].batch.intervals[JANUARY]["w.daily"].split()) == 31
    stand.built("by_month")
    held = stand.book.tables["w.daily"].state.built
    held[date(2024, 2, 29)] = replace(held[date(2024, 2, 29)], batch="rebuilt")
    assert [chunk.intervals for chunk in stand.plan("by_month").chunks] == [(FEBRUARY,)]


def test_a_table_is_made_anew_once(stand: Stand) -> None:
    """A full refresh, or a table of another grain or of something else: the first commit takes all away."""
    stand.built("checked")
    for asked in ({"full": True}, {}):
        plan = stand.plan("checked", **asked)
        assert [chunk.anew for chunk in plan.chunks] == [True, False]
        assert [chunk.intervals for chunk in plan.chunks] == [(JANUARY, FEBRUARY), (MARCH,)]
        stand.book.tables["w.checked"] = Table("id", "", State(9, stand.book.tables["w.checked"].state.built))


def test_a_table_without_rows_is_made_all_the_same(stand: Stand) -> None:
    """What reads it finds it there."""
    stand.lake.live = {"green": {}, "yellow": {}}
    plan = stand.plan("checked", exists=False)
    assert [(chunk.intervals, chunk.condition) for chunk in plan.chunks] == [((), "false")]
    assert plan.said == "no intervals in the inputs"


def test_parts_are_built_again(stand: Stand) -> None:
    """What --empty built is not what the inputs say, and says so."""
    stand.built("checked")
    parts = stand.plan("checked", partial="--empty")
    assert len(parts.chunks) == 2
    for chunk in parts.chunks:
        for day, of in chunk.batch.intervals.items():
            stand.book.tables["w.checked"].state.built[day] = Built("b", of, chunk.batch.code, 3)
    again = stand.plan("checked")
    assert {why for chunk in again.chunks for why in chunk.reasons.values()} == {"partial changed"}
    assert parts.chunks[0].subject.rows_in(JANUARY, {"lake.green": "g1", "partial": "--empty"}) == 10


def test_other_code_is_warned_of(stand: Stand) -> None:
    stand.built("checked")
    stand.manifest.nodes["checked"].checksum.checksum = "other text"
    plan = stand.plan("checked")
    assert plan.chunks == ()
    assert "checked: code changed since 2024-01..2024-03 were built" in plan.warning
    assert "do: `dbt run --select checked --full-refresh`" in plan.warning
    some = stand.plan("checked", start=FEBRUARY, end=MARCH)
    assert some.chunks[0].reasons == {FEBRUARY: "asked for"}
    assert "code changed since 2024-01, 2024-03 were built" in some.warning
    stand.manifest.nodes["checked"].config.on_code_change = "rebuild"
    rebuilt = stand.plan("checked")
    assert rebuilt.said == "built 2024-01..2024-03" and rebuilt.warning == ""


def test_somebody_elses_change_is_warned_of(stand: Stand) -> None:
    stand.built("checked", foreign=(Commit(4, "DELETE"), Commit(5, "MERGE")))
    warning = stand.plan("checked").warning
    assert "checked: version 4 of w.checked is a DELETE by somebody else" in warning
    assert "version 5 of w.checked is a MERGE by somebody else" in warning
    assert stand.plan("checked", full=True).warning == "", "nothing of it is left afterwards"


@pytest.mark.parametrize("landed", [False, True])
def test_a_killed_batch_is_told_once(stand: Stand, landed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its commit came about: then the note is all that was left behind."""
    stand.built("checked")
    state = stand.book.tables["w.checked"].state
    batch = state.built[MARCH].batch if landed else "lost"
    started = datetime(2024, 5, 1, tzinfo=timezone.utc)
    run_marker.write(stand.folder, "w.checked", batch, "run", (MARCH,), started)
    assert stand.plan("checked").chunks == () and stand.book.told == [], "it still runs"
    monkeypatch.setattr(Process, "handle", lambda self: None)
    stand.lake.live["yellow"][MARCH] = "other"
    plan = stand.plan("checked")
    assert run_marker.read(stand.folder, "w.checked") is None
    if landed:
        assert stand.book.told == [] and stand.said == []
        return
    assert [(outcome, told.batch, set(told.intervals)) for outcome, told, _ in stand.book.told] == [
        ("interrupted", "lost", {MARCH})
    ]
    assert "an earlier run was killed while it built 2024-03; its table is as it was before" in stand.said[0]
    assert plan.chunks[0].intervals == (MARCH,)


def test_what_cant_be_planned_is_refused(stand: Stand) -> None:
    stand.manifest.nodes["facts"].config.event_time = None
    with pytest.raises(DbtRuntimeError, match="needed: the column that tells a row's interval as event_time of facts"):
        stand.plan("facts", exists=False)
    stand.manifest.nodes["checked"].depends_on.nodes = []
    with pytest.raises(DbtRuntimeError, match="found: nothing"):
        inputs.find(stand.manifest, "checked")
    assert planning.SCHEMA == "lake"
