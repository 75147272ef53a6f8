"""Fingerprints, arguments of plan and file tests, and the fetching of executed plans, without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.penstock import node_fingerprint
from dbt.adapters.penstock.physical_plans import pending_plans
from dbt.adapters.penstock.physical_plans.capture import PlanCapture
from dbt.adapters.penstock.physical_plans.executed_plans import Collector
from dbt.adapters.penstock.physical_plans.file_tests import MB, File, size_failures
from dbt.adapters.penstock.physical_plans.pending_plans import PendingPlan
from dbt.adapters.penstock.physical_plans.plan_tests import PhysicalTests, check_arguments
from penstock.plans import plan_store
from penstock.plans.plan_store import CapturedPlan
from penstock.plans.rest_api import ExecutedPlan


class Config(SimpleNamespace):
    """A node's configuration."""

    def to_dict(self, omit_none: bool) -> dict[str, Any]:
        return dict(vars(self))


def node(name: str, parents: list[str], macros: list[str] | None = None, **config: Any) -> Any:
    """Return a model of a manifest."""
    return SimpleNamespace(
        unique_id=name,
        resource_type="model",
        schema="w",
        alias=name,
        checksum=SimpleNamespace(checksum=f"text of {name}"),
        config=Config(**{"materialized": "table", **config}),
        depends_on=SimpleNamespace(nodes=parents, macros=macros or []),
    )


def macro(text: str, package: str = "mine", calls: list[str] | None = None) -> Any:
    """Return a macro of a manifest."""
    return SimpleNamespace(macro_sql=text, package_name=package, depends_on=SimpleNamespace(macros=calls or []))


@pytest.fixture
def manifest() -> Any:
    """lake.trips → staged (view) → checked (view) → facts (table) → report (table, by macros)."""
    source = SimpleNamespace(unique_id="trips", resource_type="source", schema="lake", identifier="trips")
    nodes = [
        node("staged", ["trips"], materialized="view"),
        node("checked", ["staged"], materialized="view"),
        node("facts", ["checked"]),
        node("report", ["facts", "checked"], ["outer"]),
    ]
    macros = {"outer": macro("o", calls=["inner", "ref"]), "inner": macro("i"), "ref": macro("r", package="dbt")}
    return SimpleNamespace(nodes={item.unique_id: item for item in nodes}, sources={"trips": source}, macros=macros)


def test_the_stored_tables_behind_views(manifest: Any) -> None:
    """Views are followed to sources and tables; the inputs of a stored table are not part of the plan."""
    assert node_fingerprint.views(manifest, "report") == {"w.checked": ["lake.trips"], "w.staged": ["lake.trips"]}
    assert node_fingerprint.views(manifest, "facts") == {"w.checked": ["lake.trips"], "w.staged": ["lake.trips"]}


def change_text(found: Any, name: str) -> None:
    """Change the text of a model."""
    found.nodes[name].checksum.checksum = "other"


def change_macro(found: Any, name: str) -> None:
    """Change the text of a macro."""
    found.macros[name].macro_sql = "other"


def change_config(found: Any, key: str) -> None:
    """Change the configuration of the report."""
    setattr(found.nodes["report"].config, key, "other")


@pytest.mark.parametrize(
    ("change", "what", "differs"),
    [
        (change_text, "report", True),
        (change_text, "checked", True),
        (change_text, "facts", False),
        (change_macro, "inner", True),
        (change_macro, "ref", False),
        (change_config, "spark_conf", True),
        (change_config, "meta", False),
    ],
)
def test_what_changes_a_fingerprint(manifest: Any, change: Any, what: str, differs: bool) -> None:
    """The model, its views, macros and configuration; not descriptions and tags, and not dbt's macros."""
    before = node_fingerprint.fingerprint(manifest, "report")
    change(manifest, what)
    assert (node_fingerprint.fingerprint(manifest, "report") != before) is differs


@pytest.mark.parametrize(
    ("test", "given", "message"),
    [
        ("plan_broadcasts", {}, "found: nothing"),
        ("plan_broadcasts", {"side": " "}, "found: ' '"),
        ("plan_exchanges_at_most", {"n": True}, "found: True"),
        ("plan_reads_columns_at_most", {"n": 1, "table": 4}, "table of plan_reads_columns_at_most"),
        ("plan_prunes_partitions", {"column": "m"}, "value of plan_prunes_partitions as one value of it"),
        ("plan_prunes_partitions", {"column": "m", "value": [1]}, "found: [1]"),
        ("file_sizes_between", {"min": -1, "max": 2}, "min of file_sizes_between"),
        ("file_sizes_between", {"min": 2, "max": 2}, "found: min 2 and max 2"),
        ("stats_present", {"columns": []}, "found: []"),
    ],
)
def test_an_invalid_argument_is_refused_by_its_name(test: str, given: dict[str, Any], message: str) -> None:
    """The error has the valid values and the given one."""
    with pytest.raises(DbtRuntimeError, match=r"needed: .*do: correct") as error:
        check_arguments(test, given)
    assert message in str(error.value)


def test_optional_arguments_may_be_left_out() -> None:
    """Then the test's default values are used."""
    assert check_arguments("plan_reads_columns_at_most", {"n": 3, "table": None}) == {"n": 3}


def test_one_small_file_in_each_partition_is_allowed() -> None:
    """Two small files are too many; a file that is too large is named."""
    files = [File("a", MB, "m=1"), File("b", 10 * MB, "m=1"), File("c", MB, "m=2")]
    assert size_failures(files, 5 * MB, 20 * MB) == []
    assert size_failures([*files, File("d", 2 * MB, "m=2")], 5 * MB, 20 * MB) == [
        "2 files under 5 MB in m=2, the smallest 1 MB"
    ]
    assert size_failures(files, 0, 5 * MB) == ["b with 10 MB"]


def test_without_a_server_the_captured_plan_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run does not wait, and the stored plan is unchanged."""
    monkeypatch.setattr("dbt.adapters.penstock.physical_plans.executed_plans.PAUSES", (0.0,))
    plan = CapturedPlan("model.p.m", "w.m", "code", explained="text")
    plan_store.write(tmp_path, plan)
    collector = Collector()
    collector.collect(tmp_path, plan, "http://127.0.0.1:9", lambda _: True)
    collector.wait("model.p.m")
    assert plan_store.read(tmp_path, "model.p.m") == plan


class Busy:
    """A REST API that has a node's plan from the given request on; before, it is too busy to answer."""

    tries: ClassVar[dict[str, int]] = {"model.p.slow": 3, "model.p.quick": 0}
    requests: ClassVar[list[str]] = []

    def __init__(self, ui: str) -> None:
        self.ui = ui

    def executed_plan(self, matches: Callable[[str], bool], job_tag: str = "") -> ExecutedPlan | None:
        """None, a timeout, or the plan."""
        name = next(name for name in self.tries if matches(name))
        self.requests.append(name)
        left = self.tries[name]
        self.tries[name] -= 1
        if left > 1:
            raise TimeoutError("timed out")
        return None if left == 1 else ExecutedPlan(7, "plan", 1.0)


def test_a_late_plan_is_fetched_again_and_delays_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a timeout; a plan that was requested later is stored first."""
    monkeypatch.setattr("dbt.adapters.penstock.physical_plans.executed_plans.SparkRestApi", Busy)
    monkeypatch.setattr("dbt.adapters.penstock.physical_plans.executed_plans.PAUSES", (0.2, 0.2, 0.2))
    collector = Collector()
    for name in Busy.tries:
        plan = CapturedPlan(name, "w.m", "code", explained="text")
        collector.collect(tmp_path, plan, "http://127.0.0.1:9", name.__eq__)
    collector.wait()
    for name in Busy.tries:
        found = plan_store.read(tmp_path, name)
        assert found and found.executed == ExecutedPlan(7, "plan", 1.0)
    assert Busy.requests[:3] == ["model.p.slow", "model.p.quick", "model.p.slow"]


def test_a_pending_plan_is_removed_when_it_is_read() -> None:
    """The next run of the node has no pending plan."""
    pending_plans.add("n", PendingPlan("text"))
    assert pending_plans.pop("n") == PendingPlan("text")
    assert pending_plans.pop("n") is None


@pytest.mark.parametrize("fails", [False, True])
def test_only_the_executed_plan_of_a_successful_node_is_fetched(fails: bool) -> None:
    """dbt would wait at its end for the plan of a failed node; its stored plan is not written again."""
    plan, fetched = CapturedPlan("model.p.m", "w.m", "code"), []
    credentials = SimpleNamespace(managed=False, ui_url="http://spark:4040")
    project = SimpleNamespace(credentials=credentials, project_root=".", target_path="target")
    capture: Any = PlanCapture(SimpleNamespace(config=project))  # type: ignore[arg-type]
    capture._collector = SimpleNamespace(collect=lambda *given: fetched.append(given[1]))
    capture.work_is_done()
    pending_plans.add("model.p.m", PendingPlan("text", lambda _: True, captured=plan))
    try:
        if fails:
            raise DbtRuntimeError("wrong")
    except DbtRuntimeError:
        capture.finish_node("model.p.m")
    else:
        capture.finish_node("model.p.m")
    assert fetched == ([] if fails else [plan])
    assert capture.mark("select 1") == "select 1", "the thread's next node does its own work"


class Slow:
    """An adapter whose EXPLAIN exceeds its time limit, or is answered."""

    def __init__(self, folder: Path, seconds: float, exceeds: bool) -> None:
        credentials = SimpleNamespace(explain_seconds=seconds, keep_plans=True)
        self.config = SimpleNamespace(credentials=credentials, project_root=str(folder), target_path="target")
        self.connections, self.exceeds = self, exceeds
        self.sent: list[str] = []
        self.limits: list[Any] = []

    @contextmanager
    def time_limit(self, limit: Any) -> Iterator[None]:
        self.limits.append(limit)
        yield

    def execute(self, sql: str, fetch: bool) -> Any:
        self.sent.append(sql)
        self.limits[-1].exceeded = self.exceeds
        raise DbtRuntimeError("cancelled" if self.exceeds else "wrong column")


@pytest.mark.parametrize(
    ("seconds", "exceeds", "sent", "missing"),
    [
        (10, True, 1, "EXPLAIN was cancelled after 10 s (explain_seconds in profiles.yml)"),
        (10, False, 1, ""),
        (0, False, 0, "explain_seconds is 0 in profiles.yml"),
    ],
)
def test_explain_has_a_time_limit(tmp_path: Path, seconds: float, exceeds: bool, sent: int, missing: str) -> None:
    """The model goes on, and the stored plan says which setting is the reason."""
    adapter = Slow(tmp_path, seconds, exceeds)
    capture: Any = PlanCapture(adapter)  # type: ignore[arg-type]
    assert capture._explain("model.p.deep", "select 1") == ("", missing)
    assert len(adapter.sent) == sent


def test_a_plan_test_names_the_setting_that_left_the_plan_out(tmp_path: Path) -> None:
    """Not only that there is no plan."""
    missing = "EXPLAIN was cancelled after 10 s (explain_seconds in profiles.yml)"
    plan_store.write(tmp_path, CapturedPlan("model.p.deep", "w.deep", "code", missing=missing))
    plans = SimpleNamespace(wait=lambda name: None, target=tmp_path)
    tests: Any = PhysicalTests(SimpleNamespace(), plans)  # type: ignore[arg-type]
    deep = SimpleNamespace(unique_id="model.p.deep", name="deep")
    (message,) = tests._test_captured_plan(deep, "plan_has_no_cartesian", {})
    assert f"found: {missing}, and no executed plan. do: raise explain_seconds" in message
