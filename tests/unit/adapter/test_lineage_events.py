"""OpenLineage events: names, facets, and a receiver that is up, refuses events, hangs or is down."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import RunEvent, RunState
from openlineage.client.serde import Serde

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.run_records import command_events, datasets, event_sender
from dbt.adapters.penstock.run_records.dataset_facets import ColumnLineage, Columns
from dbt.adapters.penstock.run_records.datasets import DatasetNames
from dbt.adapters.penstock.run_records.event_sender import EventSender
from dbt.adapters.penstock.run_records.lineage_events import LineageEvents
from dbt.adapters.penstock.run_records.lineage_observer import LineageObserver
from penstock.config.settings import Settings, load
from penstock.runs.run_record import NodeRun, RunRecord
from tests.support.lineage_receiver import Receiver, receiver
from tests.unit.adapter.manifests import manifest_node

RUN_ID = "0f8c8bd0-7d3e-4b57-9d3e-2f2f3f0f7a11"
BEGIN, END = "2026-01-01T12:00:00+00:00", "2026-01-01T12:00:05+00:00"
MODEL, EPHEMERAL, SEED, TEST = "model.shop.orders", "model.shop.paid", "seed.shop.raw", "test.shop.unique_orders_id.1"
RECORD = RunRecord(RUN_ID, "build", "dbt build", "shop", "dev", BEGIN, END, True, versions={"spark": "4.1.4"})


def entry(name: str, *parents: str, kind: str = "model", columns: dict[str, str] | None = None, **values: Any) -> Any:
    """Return an entry of a manifest."""
    node = manifest_node(name, *parents, kind=kind, materialized=values.pop("materialized", "table"))
    node.name, node.alias, node.database = *[name.split(".")[2]] * 2, None
    node.columns = {
        key: SimpleNamespace(name=key, data_type=data_type, description=f"The {key}")
        for key, data_type in (columns or {}).items()
    }
    vars(node).update(values)
    return node


@pytest.fixture
def manifest() -> Any:
    """A seed, an ephemeral model that reads it, a model that reads that one, and a test of the model."""
    test = entry(TEST, MODEL, kind="test", column_name="id", test_metadata=SimpleNamespace(name="unique"))
    test.config.severity = "ERROR"
    model = entry(MODEL, EPHEMERAL, columns={"id": "", "total": "decimal(10,2)"}, compiled_code="select 1")
    ephemeral = entry(EPHEMERAL, SEED, materialized="ephemeral")
    nodes = {node.unique_id: node for node in (entry(SEED, kind="seed", materialized="seed"), ephemeral, model, test)}
    return SimpleNamespace(nodes=nodes, sources={}, unit_tests={})


@pytest.fixture
def adapter() -> Any:
    """An adapter that has described the seed, and has checked the query of the model."""
    described = {"w.raw": {"id": "int", "price": "double"}}
    built = {MODEL: [SimpleNamespace(name="id", dtype="bigint"), SimpleNamespace(name="total", dtype="double")]}
    return SimpleNamespace(columns=SimpleNamespace(built=built, cached_types=lambda name: described.get(name, {})))


@pytest.fixture
def names(tmp_path: Path) -> DatasetNames:
    """Names of a project with its own server."""
    return DatasetNames(SimpleNamespace(managed=True), settings(tmp_path, "metastore: thrift://hms:9083"))  # type: ignore[arg-type]


def settings(folder: Path, text: str) -> Settings:
    """Return the settings of a penstock.yml."""
    (folder / "penstock.yml").write_text(text)
    return load(folder)


@pytest.fixture
def events(manifest: Any, adapter: Any, names: DatasetNames, tmp_path: Path) -> LineageEvents:
    """The events of a command, with column lineage."""
    columns = Columns(adapter, manifest, tmp_path)
    return LineageEvents(RECORD, manifest, names, columns, lambda node: 42, lineage)


def lineage(name: str, dataset: Callable[[str], tuple[str, str]]) -> dict[str, Any]:
    """Return the column lineage of a node: the model's total is computed from the seed's price."""
    if name != MODEL:
        return {"fields": {}, "dataset": []}
    namespace, table = dataset(SEED)
    how = {"type": "DIRECT", "subtype": "AGGREGATION", "description": "", "masking": False}
    price = {"namespace": namespace, "name": table, "field": "price", "transformations": [how]}
    return {"fields": {"total": {"inputFields": [price]}}, "dataset": [{**price, "field": "id"}]}


def as_json(event: RunEvent) -> dict[str, Any]:
    """Return an event as the client sends it."""
    content: dict[str, Any] = json.loads(Serde.to_json(event))
    return content


def model(status: str = "success") -> NodeRun:
    """Return a model that has ended."""
    return NodeRun(
        *(MODEL, "orders", "model", status),
        message="no such table",
        compile_started=BEGIN,
        execute_started=BEGIN,
        execute_ended=END,
    )


def test_the_end_of_a_model(events: LineageEvents) -> None:
    event = as_json(events.node(RunState.COMPLETE, model(), END))
    assert (event["job"]["namespace"], event["job"]["name"]) == ("dbt", "w.shop.orders")
    assert event["job"]["facets"]["sql"]["query"] == "select 1"
    assert event["run"]["facets"]["parent"]["run"]["runId"] == RUN_ID
    assert event["run"]["facets"]["processing_engine"]["version"] == "4.1.4"
    (read,) = event["inputs"]
    assert (read["namespace"], read["name"]) == ("hive://hms:9083", "w.raw")
    assert {item["name"]: item["type"] for item in read["facets"]["schema"]["fields"]} == {
        "id": "int",
        "price": "double",
    }
    (written,) = event["outputs"]
    assert (written["namespace"], written["name"]) == ("hive://hms:9083", "w.orders")
    fields = written["facets"]["schema"]["fields"]
    assert [(item["name"], item["type"], item["description"]) for item in fields] == [
        ("id", "bigint", "The id"),
        ("total", "double", "The total"),
    ]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 42
    column_lineage = written["facets"]["columnLineage"]
    assert [item["field"] for item in column_lineage["dataset"]] == ["id"]
    (origin,) = column_lineage["fields"]["total"]["inputFields"]
    assert (origin["namespace"], origin["name"], origin["field"]) == ("hive://hms:9083", "w.raw", "price")
    assert origin["transformations"][0]["subtype"] == "AGGREGATION"


def test_a_failed_model_has_its_message_and_no_rows(events: LineageEvents) -> None:
    event = as_json(events.node(RunState.FAIL, model("error"), END))
    assert event["run"]["facets"]["errorMessage"]["message"] == "no such table"
    (written,) = event["outputs"]
    assert written["name"] == "w.orders"
    assert not written.get("outputFacets")


def test_all_events_of_a_node_have_one_run_id(events: LineageEvents) -> None:
    start, end = (as_json(events.node(state, model(), BEGIN)) for state in (RunState.START, RunState.COMPLETE))
    other = as_json(events.command(RunState.START, BEGIN))
    assert start["run"]["runId"] == end["run"]["runId"]
    assert other["run"]["runId"] == RUN_ID


def test_a_test_asserts_the_quality_of_its_model(events: LineageEvents) -> None:
    node = NodeRun(TEST, "unique_orders_id", "test", "fail", failures=2, tested=[MODEL])
    event = as_json(events.node(RunState.FAIL, node, END))
    assert event["job"]["name"] == TEST
    assert event["outputs"] == []
    (read,) = event["inputs"]
    (assertion,) = read["inputFacets"]["dataQualityAssertions"]["assertions"]
    found = {key: assertion[key] for key in ("assertion", "success", "column", "severity", "actual")}
    assert found == {"assertion": "unique", "success": False, "column": "id", "severity": "error", "actual": "2"}


@pytest.mark.parametrize(
    ("text", "parent"),
    [(f"airflow/shop.build/{RUN_ID}", ("airflow", "shop.build", RUN_ID)), ("airflow/shop.build", None), ("", None)],
)
def test_the_run_that_started_the_command_is_its_parent(
    text: str, parent: tuple[str, str, str] | None, events: LineageEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", text)
    event = as_json(events.command(RunState.COMPLETE, END))
    assert event["job"]["name"] == "dbt-run-shop"
    facet = event["run"]["facets"].get("parent")
    assert (facet and (facet["job"]["namespace"], facet["job"]["name"], facet["run"]["runId"])) == parent


def test_columns_come_from_the_catalog_and_from_the_documentation(manifest: Any, tmp_path: Path) -> None:
    empty = SimpleNamespace(columns=SimpleNamespace(built={}, cached_types=lambda name: {}))
    assert Columns(empty, manifest, tmp_path).types(MODEL) == {"id": "", "total": "decimal(10,2)"}  # type: ignore[arg-type]
    assert Columns(empty, manifest, tmp_path).facet(SEED) is None  # type: ignore[arg-type]
    catalog = {"nodes": {SEED: {"columns": {"id": {"type": "int"}}}}, "sources": {}}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    assert Columns(empty, manifest, tmp_path).types(SEED) == {"id": "int"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "catalog", "namespace"),
    [
        ("metastore: postgresql://db/metastore", None, "hive://db:5432"),
        ("openlineage: {dataset_namespace: lakehouse}", None, "lakehouse"),
        ("server: {catalogs: {ice: {type: rest, uri: 'http://rest:8181/x'}}}", "ice", "http://rest:8181"),
        ("server: {catalogs: {ice: {type: hive, uri: 'thrift://other:9083'}}}", "ice", "hive://other:9083"),
        (
            "server: {catalogs: {ice: {type: jdbc, uri: 'jdbc:postgresql://db/c', warehouse: s3a://b/w}}}",
            "ice",
            "postgresql://db",
        ),
        ("server: {catalogs: {ice: {type: hadoop, warehouse: s3a://b/w}}}", "ice", "s3a://b/w"),
        (
            "server: {catalogs: {ice: {type: hive}}, ports: {metastore: 9999}}",
            "ice",
            f"hive://{socket.gethostname()}:9999",
        ),
        ("version: 1", None, f"hive://{socket.gethostname()}:9083"),
    ],
)
def test_namespaces_of_catalogs(text: str, catalog: str | None, namespace: str, tmp_path: Path) -> None:
    credentials: Any = SimpleNamespace(managed=True)
    names = DatasetNames(credentials, settings(tmp_path, text))
    assert names.of(entry(MODEL, database=catalog)) == (namespace, "w.orders")


def test_the_namespace_of_a_remote_server(tmp_path: Path) -> None:
    credentials: Any = SimpleNamespace(managed=False, host="thrift.example.com", port=10000)
    assert databases.default() == databases.SPARK_CATALOG
    names = DatasetNames(credentials, settings(tmp_path, "version: 1"))
    assert names.of(entry(MODEL)) == ("spark://thrift.example.com:10000", "w.orders")


def test_a_deferred_input_is_the_relation_that_the_query_reads(manifest: Any) -> None:
    seed, node = manifest.nodes[SEED], manifest.nodes[MODEL]
    seed.defer_relation = SimpleNamespace(relation_name="prod.raw", schema="prod", alias="raw", database=None)
    assert datasets.read_relation(node, seed) is seed
    node.compiled_code = "select * from prod.raw"
    assert datasets.read_relation(node, seed) is seed.defer_relation


# Sending


@pytest.fixture
def received() -> Iterator[Receiver]:
    """A receiver that is up."""
    with receiver() as made:
        yield made


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings about events."""
    found: list[str] = []
    monkeypatch.setattr(event_sender.logger, "warning", found.append)
    return found


def client(url: str) -> OpenLineageClient:
    """Return a client that tries once."""
    return OpenLineageClient(config={"transport": {"type": "http", "url": url, "retry": {"total": 0}}})  # type: ignore[dict-item]


def patient(make: Callable[[], OpenLineageClient]) -> EventSender:
    """Return a sender that waits for a receiver on a busy machine."""
    return EventSender(make, wait_seconds=120)


def send(events: LineageEvents, sender: EventSender, *nodes: NodeRun, success: bool = True) -> None:
    """Send the events of a command that runs nodes one after another."""
    waited: list[str] = []
    observer = LineageObserver(sender, lambda record: events, waited.append)
    observer.command_started(RECORD)
    for node in nodes:
        observer.node_started(node)
        if node.status != "skipped":
            observer.node_changed(node)
        if node.status != "running":
            observer.node_finished(node)
    ended = {node.unique_id: node for node in nodes}
    observer.command_finished(RunRecord(**{**vars(RECORD), "success": success, "nodes": ended}))


def test_events_arrive_in_order(events: LineageEvents, received: Receiver, warnings: list[str]) -> None:
    send(events, patient(lambda: client(received.url)), model())
    assert [(item["job"]["name"], item["eventType"]) for item in received.events] == [
        ("dbt-run-shop", "START"),
        ("w.shop.orders", "START"),
        ("w.shop.orders", "COMPLETE"),
        ("dbt-run-shop", "COMPLETE"),
    ]
    assert warnings == []


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("error", ["START", "FAIL"]),
        ("skipped", []),
        ("running", ["START", "ABORT"]),
        ("partial success", ["START", "FAIL"]),
    ],
)
def test_events_of_nodes_that_did_not_succeed(
    status: str, states: list[str], events: LineageEvents, received: Receiver
) -> None:
    send(events, patient(lambda: client(received.url)), model(status), success=False)
    assert received.states("w.shop.orders") == states
    assert received.states("dbt-run-shop") == ["START", "FAIL"]


def test_a_model_that_fails_to_compile_has_a_start(events: LineageEvents, received: Receiver) -> None:
    observer = LineageObserver(patient(lambda: client(received.url)), lambda record: events, lambda name: None)
    observer.command_started(RECORD)
    observer.node_started(model("running"))
    observer.node_finished(model("error"))
    observer.command_finished(RECORD)
    assert received.states("w.shop.orders") == ["START", "FAIL"]


def test_a_receiver_that_is_down_is_one_warning(events: LineageEvents, warnings: list[str]) -> None:
    with receiver() as stopped:
        url = stopped.url
    attempts: list[Any] = []

    def make() -> OpenLineageClient:
        made = client(url)
        emit = made.emit

        def count(event: Any) -> None:
            attempts.append(event)
            emit(event)

        made.emit = count  # type: ignore[method-assign]
        return made

    send(events, patient(make), model(), model())
    assert len(attempts) == 1
    assert len(warnings) == 1
    assert warnings[0].startswith("6 of 6 OpenLineage events were not sent: ")


def test_a_receiver_that_refuses_events_is_one_warning(
    events: LineageEvents, received: Receiver, warnings: list[str]
) -> None:
    received.status = HTTPStatus.BAD_REQUEST
    send(events, patient(lambda: client(received.url)), model())
    assert len(received.events) == 4
    assert len(warnings) == 1
    assert "400" in warnings[0]


def test_a_receiver_that_hangs_is_left_behind(events: LineageEvents, warnings: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        send(events, EventSender(lambda: client(url), wait_seconds=0.2), model())
    assert len(warnings) == 1
    assert "more than 0.2 s" in warnings[0]


def test_an_invalid_configuration_is_one_warning(
    events: LineageEvents, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "pigeon")
    send(events, EventSender(), model())
    assert len(warnings) == 1
    assert "configuration is not valid" in warnings[0]


@pytest.mark.parametrize(
    ("environment", "file", "configured"),
    [
        ({}, "", False),
        ({"OPENLINEAGE_URL": "http://127.0.0.1:5000"}, "", True),
        ({"OPENLINEAGE_URL": "http://127.0.0.1:5000", "OPENLINEAGE_DISABLED": "True"}, "", False),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, "", True),
        ({"OPENLINEAGE_CONFIG": "own.yml"}, "own.yml", True),
        ({"OPENLINEAGE_CONFIG": "own.yml"}, "", False),
        ({}, "openlineage.yml", True),
        ({"OPENLINEAGE_DISABLED": "true"}, "openlineage.yml", False),
    ],
)
def test_the_configuration_of_the_client(
    environment: dict[str, str], file: str, configured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if file:
        Path(file).write_text("transport: {type: console}\n")
    assert event_sender.is_configured() is configured


def test_column_lineage_comes_from_an_entry_point(
    manifest: Any, adapter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def factory(given: Any, types: Callable[[str], dict[str, str]]) -> ColumnLineage:
        assert given is manifest
        assert types(SEED) == {"id": "int", "price": "double"}
        return lineage

    groups = {"penstock.column_lineage": [SimpleNamespace(load=lambda: factory)]}
    monkeypatch.setattr(command_events, "entry_points", lambda group: groups[group])
    adapter.config = SimpleNamespace(
        credentials=SimpleNamespace(managed=True, settings=settings(tmp_path, "version: 1"))
    )
    adapter.get_macro_resolver = lambda: manifest
    made = command_events._events(adapter, tmp_path, lambda node: None, RECORD)
    (written,) = as_json(made.node(RunState.COMPLETE, model(), END))["outputs"]
    assert list(written["facets"]["columnLineage"]["fields"]) == ["total"]
