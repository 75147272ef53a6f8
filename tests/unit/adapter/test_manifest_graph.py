"""The strategy `interval` without a server: what it refuses, where it filters, what it reads, what it plans."""

from __future__ import annotations

from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.base.relation import EventTimeFilter

from dbt.adapters.penstock import relation as relations
from dbt.adapters.penstock.interval_models import requested_intervals
from dbt.adapters.penstock.interval_models.manifest_graph import ManifestGraph
from dbt.adapters.penstock.relation import PenstockRelation
from penstock.errors import PenstockError
from penstock.intervals import input_filter
from penstock.intervals.grain import DAY, GRAINS, MONTH
from penstock.intervals.model_config import IntervalConfig, interval_properties, is_interval
from penstock.intervals.staleness import RequestedIntervals

MONTHLY, DAILY = GRAINS[MONTH], GRAINS[DAY]
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
INTERVAL = {"materialized": "incremental", "incremental_strategy": "interval"}


class Config(SimpleNamespace):
    """A node's configuration."""

    def to_dict(self, omit_none: bool) -> dict[str, Any]:
        return dict(vars(self))

    def get(self, key: str) -> Any:
        return vars(self).get(key)


def node(name: str, *parents: str, kind: str = "model", **config: Any) -> Any:
    """A node of a manifest."""
    return SimpleNamespace(
        unique_id=name,
        name=name,
        resource_type=kind,
        schema="w",
        alias=name,
        checksum=SimpleNamespace(checksum=f"text of {name}"),
        config=Config(**{"materialized": "table", **config}),
        depends_on=SimpleNamespace(nodes=list(parents), macros=[]),
    )


def source(name: str, schema: str = "lake") -> Any:
    """A source of a manifest."""
    return SimpleNamespace(unique_id=name, name=name, resource_type="source", schema=schema, identifier=name)


@pytest.fixture
def manifest() -> Any:
    """lake.trips → staged (view) → checked → facts, with a seed, a table behind a view, and lake.manifest."""
    nodes = [
        node("staged", "trips", materialized="view"),
        node("checked", "staged", event_time="month", **INTERVAL),
        node("zones", kind="seed", materialized="seed"),
        node("codes", "zones", "elsewhere"),
        node("named", "codes", "manifest", materialized="view"),
        node("facts", "checked", "named", "zones", event_time="month", **INTERVAL),
        node("lost", "codes", "elsewhere", event_time="month", **INTERVAL),
        node("alone", event_time="month", **INTERVAL),
    ]
    sources = [source("trips"), source("manifest"), source("elsewhere", "other")]
    return SimpleNamespace(
        nodes={item.unique_id: item for item in nodes}, sources={item.unique_id: item for item in sources}, macros={}
    )


# Configuration.


def test_a_configuration_is_parsed_once() -> None:
    least = IntervalConfig.parse({"event_time": "month"}, "facts")
    assert least == IntervalConfig("month", MONTHLY, 12, False, None)
    most = IntervalConfig.parse(
        {
            "event_time": "day",
            "batch_size": SimpleNamespace(value="day"),
            "intervals_per_commit": 3,
            "on_code_change": "rebuild",
            "quarantine_when": "not is_good",
        },
        "facts",
    )
    assert most == IntervalConfig("day", DAILY, 3, True, "not is_good")


@pytest.mark.parametrize(
    ("key", "value", "needed"),
    [
        ("event_time", None, "the column that tells a row's interval"),
        ("event_time", " ", "the column that tells a row's interval"),
        ("batch_size", "hour", "month or day"),
        ("intervals_per_commit", 0, "a whole number of at least 1"),
        ("intervals_per_commit", True, "a whole number of at least 1"),
        ("intervals_per_commit", "3", "a whole number of at least 1"),
        ("on_code_change", "ignore", "warn or rebuild"),
        ("quarantine_when", "", "a SQL condition over the table's columns"),
        ("quarantine_when", ["a"], "a SQL condition over the table's columns"),
    ],
)
def test_a_value_that_cant_be_is_refused_by_its_key(key: str, value: Any, needed: str) -> None:
    with pytest.raises(PenstockError) as caught:
        IntervalConfig.parse({"event_time": "month", key: value}, "facts")
    assert f"needed: {needed} as {key} of facts (strategy interval). found: {value!r}. do: set {key}" in str(
        caught.value
    )


def test_a_table_says_of_which_length_its_intervals_are() -> None:
    assert interval_properties(INTERVAL) == {"penstock.intervals": "month"}
    assert interval_properties({**INTERVAL, "batch_size": "day"}) == {"penstock.intervals": "day"}
    assert interval_properties({**INTERVAL, "incremental_strategy": "merge"}) == {}
    assert is_interval(node("a", **INTERVAL))
    assert not is_interval(node("a", kind="snapshot", **INTERVAL)) and not is_interval(None)


# Filtering.


def relation(of: Any, reader: Any, **arguments: Any) -> Any:
    """What `ref` or `source` gives a reader that is being compiled."""
    quoting = SimpleNamespace(quoting={"database": False, "schema": False, "identifier": False})
    of = SimpleNamespace(
        **{"database": None, "catalog_name": None, "identifier": of.name, "quoting_dict": {}, **vars(of)}
    )
    with relations.compiling(reader):
        return PenstockRelation.create_from(quoting, of, **arguments)


READER = node("facts", event_time="month", **INTERVAL)
AT_TIMES = node("checked", event_time="file_month", **INTERVAL)


@pytest.mark.parametrize(
    ("of", "mark"),
    [
        (AT_TIMES, "/* intervals of file_month */ true"),
        (node("days", event_time="day", batch_size="day", **INTERVAL), "/* intervals of day by day */ true"),
        (
            SimpleNamespace(**{**vars(source("trips")), "config": Config(event_time="file_month")}),
            "/* intervals of file_month by month */ true",
        ),
    ],
)
def test_an_input_with_an_event_time_is_marked(of: Any, mark: str) -> None:
    read = relation(of, READER, event_time_filter=None)
    assert f"where {mark}" in str(read)
    assert "where" not in read.render(), "as with dbt's microbatch, render() leaves it whole"
    assert input_filter.MARKER.search(mark), "what is compiled is what is looked for"


def test_an_input_of_earlier_intervals_is_marked_as_such() -> None:
    reader = node("totals", event_time="month", reads_before=["checked"], **INTERVAL)
    mark = "/* intervals before those of file_month */ true"
    assert f"where {mark}" in str(relation(AT_TIMES, reader, event_time_filter=None))
    sql = f"select a from (select * from t where {mark}) where /* intervals of n */ true"
    assert input_filter.replace_markers(sql, [JANUARY, FEBRUARY], MONTHLY, "month") == (
        "select a from (select * from t where file_month < date'2024-02-01') "
        "where (n >= date'2024-01-01' and n < date'2024-03-01')"
    )
    assert input_filter.replace_markers(f"select a from t where {mark}", [JANUARY], MONTHLY, "month").endswith(
        "as penstock_rows where (month >= date'2024-01-01' and month < date'2024-02-01')"
    )
    assert "where false" in input_filter.replace_markers(sql, [], MONTHLY, "month")
    assert input_filter.windows("", True, [JANUARY, FEBRUARY], MONTHLY) == [("", "2024-02-01T00:00:00")]
    assert input_filter.windows("", True, [], MONTHLY) == []


def test_nothing_else_is_marked() -> None:
    """An input without event_time, another reader, a relation that is no ref, and dbt's own window."""
    assert "intervals" not in str(relation(node("zones"), READER, event_time_filter=None))
    assert "intervals" not in str(relation(AT_TIMES, node("a"), event_time_filter=None))
    assert "intervals" not in str(relation(AT_TIMES, READER))
    window = EventTimeFilter("file_month", datetime(2024, 1, 1), datetime(2024, 2, 1))
    sampled = str(relation(AT_TIMES, READER, event_time_filter=window))
    assert "intervals" not in sampled and "2024-01-01" in sampled
    with relations.compiling(READER), relations.compiling(None):
        assert relations._thread.node is None
    assert relations._thread.node is None


def test_a_mark_becomes_the_condition_of_the_intervals() -> None:
    sql = "select a from (select * from t where /* intervals of m by month */ true) where /* intervals of n */ true"
    assert input_filter.replace_markers(sql, [JANUARY, FEBRUARY], MONTHLY, "month") == (
        "select a from (select * from t where (m >= date'2024-01-01' and m < date'2024-03-01')) "
        "where (n >= date'2024-01-01' and n < date'2024-03-01')"
    )
    assert "where false" in input_filter.replace_markers(sql, [], MONTHLY, "month")


def test_rows_of_other_intervals_are_left_out() -> None:
    """A model of days reads the months they lie in; a query without a mark reads everything."""
    days = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1)]
    by_month = input_filter.replace_markers(
        "select * from t where /* intervals of m by month */ true", days, DAILY, "day"
    )
    assert "where (m >= date'2024-01-01' and m < date'2024-03-01')" in by_month
    assert by_month.endswith("as penstock_rows where (day >= date'2024-01-30' and day < date'2024-02-02')")
    whole = input_filter.replace_markers("select * from t", [JANUARY], MONTHLY, "month")
    assert whole.endswith("as penstock_rows where (month >= date'2024-01-01' and month < date'2024-02-01')")
    by_day = input_filter.replace_markers(
        "select * from t where /* intervals of d by day */ true", [FEBRUARY], MONTHLY, "month"
    )
    assert "where (d >= date'2024-02-01' and d < date'2024-03-01')" in by_day and "penstock_rows" in by_day


def test_a_python_models_windows() -> None:
    """ISO instants, each interval of the input once, the end not included."""
    days = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1)]
    assert input_filter.windows("month", False, days, DAILY) == [
        ("2024-01-01T00:00:00", "2024-02-01T00:00:00"),
        ("2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ]
    assert input_filter.windows("", False, days[:1], DAILY) == [("2024-01-30T00:00:00", "2024-01-31T00:00:00")]


# Inputs.


LAKE = SimpleNamespace(has_intervals=lambda table: table != "manifest")


def find(manifest: Any, name: str) -> Any:
    """The inputs of a model."""
    return ManifestGraph(manifest, {"lake": LAKE}, SimpleNamespace(), lambda *of: True).inputs(name)  # type: ignore[dict-item]


def test_inputs_are_found_through_views(manifest: Any) -> None:
    """The lake's datasets behind views, other interval models, and the rest as code; lake.manifest has no months."""
    checked, facts = find(manifest, "checked"), find(manifest, "facts")
    assert (checked.sources, checked.models) == ((("lake", "trips"),), ())
    assert (facts.sources, facts.models) == ((), ("checked",))


@pytest.mark.parametrize(("name", "reads"), [("lost", "codes, elsewhere"), ("alone", "nothing")])
def test_a_model_whose_inputs_have_no_intervals_is_refused(manifest: Any, name: str, reads: str) -> None:
    with pytest.raises(PenstockError) as caught:
        find(manifest, name)
    assert f"needed: an input of {name} (strategy interval) that has intervals" in str(caught.value)
    assert f"found: {reads}. do: read one of those" in str(caught.value)


@pytest.mark.parametrize(("changed", "differs"), [
    ("facts", True), ("named", True), ("codes", True), ("zones", True), ("checked", False), ("staged", False),
])  # fmt: skip
def test_code_is_the_models_and_that_of_what_has_no_intervals(manifest: Any, changed: str, differs: bool) -> None:
    """A seed by its content, a table by its own code and what that reads; not what the ledger tells of."""
    before = find(manifest, "facts").code
    assert find(manifest, "facts").code == before
    manifest.nodes[changed].checksum.checksum = "other text"
    assert (find(manifest, "facts").code != before) is differs


def test_how_intervals_are_committed_is_no_code(manifest: Any) -> None:
    before = find(manifest, "facts").code
    manifest.nodes["facts"].config.intervals_per_commit = 3
    manifest.nodes["facts"].config.on_code_change = "rebuild"
    assert find(manifest, "facts").code == before
    manifest.nodes["facts"].config.event_time = "other_month"
    assert find(manifest, "facts").code != before


# What the command asks for.


@pytest.mark.parametrize(
    ("start", "end", "first", "after"),
    [
        (datetime(2024, 1, 1), datetime(2024, 3, 1), JANUARY, date(2024, 3, 1)),
        (datetime(2024, 1, 20), datetime(2024, 2, 29, 12), JANUARY, date(2024, 3, 1)),
        ("2024-01-20", "2024-02-10", JANUARY, date(2024, 2, 10)),
        (datetime(2024, 1, 1, tzinfo=timezone.utc), None, JANUARY, None),
        (None, None, None, None),
    ],
)
def test_event_times_name_whole_intervals(start: Any, end: Any, first: date | None, after: date | None) -> None:
    """An interval that begins before the end is among those named, as with dbt's microbatch."""
    found = requested_intervals.requested_intervals(
        SimpleNamespace(EVENT_TIME_START=start, EVENT_TIME_END=end), MONTHLY, False
    )
    assert (found.start, found.end) == (first, after)
    assert found.in_range(FEBRUARY) and found.has_range is (start is not None)


def test_a_range_of_days_is_one_of_days() -> None:
    arguments = SimpleNamespace(EVENT_TIME_START=datetime(2024, 1, 20, 6), EVENT_TIME_END=datetime(2024, 1, 21, 6))
    found = requested_intervals.requested_intervals(arguments, DAILY, True)
    assert found == RequestedIntervals(True, date(2024, 1, 20), date(2024, 1, 22))


def test_a_range_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of days, for a model of months: the months that they lie in."""
    monkeypatch.setenv(requested_intervals.WITHIN, " 2024-01..2024-02 ")
    assert requested_intervals.requested_intervals(SimpleNamespace(), MONTHLY, False) == RequestedIntervals(
        within=(JANUARY, date(2024, 3, 1))
    )
    monkeypatch.setenv(requested_intervals.WITHIN, "2024-01-05..2024-01-07")
    assert requested_intervals.requested_intervals(SimpleNamespace(), MONTHLY, False).allows(JANUARY)
    assert not requested_intervals.requested_intervals(SimpleNamespace(), DAILY, False).allows(JANUARY)
    monkeypatch.setenv(requested_intervals.WITHIN, "")
    assert requested_intervals.requested_intervals(SimpleNamespace(), MONTHLY, False) == RequestedIntervals()
    monkeypatch.setenv(requested_intervals.WITHIN, "2024-03..2024-01")
    with pytest.raises(PenstockError, match=r"needed: PENSTOCK_INTERVALS as 2024-01 or 2024-01\.\.2024-03"):
        requested_intervals.requested_intervals(SimpleNamespace(), MONTHLY, False)


@pytest.mark.parametrize(
    ("arguments", "words"), [({}, ""), ({"EMPTY": True}, "--empty"), ({"SAMPLE": object()}, "--sample")]
)
def test_what_is_built_of_parts_is_no_whole_interval(arguments: dict[str, Any], words: str) -> None:
    assert requested_intervals.partial_option(SimpleNamespace(**arguments)) == words


# What a deferred reference reads.


@pytest.mark.parametrize(
    ("arguments", "there", "deferred"),
    [
        ({}, False, False),
        ({"defer": True}, True, False),
        ({"defer": True}, False, True),
        ({"defer": True, "favor_state": True}, True, True),
        ({"favor_state": True}, False, False),
    ],
)
def test_a_model_lies_where_dbts_ref_reads_it(arguments: dict[str, Any], there: bool, deferred: bool) -> None:
    """Here when it is there or nothing is deferred; in the other environment otherwise."""
    elsewhere = SimpleNamespace(schema="prod", alias="checked")
    model = SimpleNamespace(**{**vars(AT_TIMES), "database": None, "defer_relation": elsewhere})
    nodes = SimpleNamespace(nodes={"checked": model, "other": AT_TIMES})

    def exists(*name: Any) -> bool:
        return there and name == (None, "w", "checked")

    graph = ManifestGraph(nodes, {}, SimpleNamespace(**arguments), exists)
    assert graph.deferred_relation("checked") == ("prod.checked" if deferred else None)
    assert graph.deferred_relation("other") is None, "nothing to defer to"
