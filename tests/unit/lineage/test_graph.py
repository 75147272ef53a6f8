"""The graph of a project's columns, built from small manifests."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.lineage import Edge, Kind, LineageGraph, column_reference, graph, openlineage, query_cache
from penstock.lineage.manifest_nodes import ManifestNodes
from penstock.lineage.model_query import QueryLineage

Json = dict[str, Any]


def node(name: str, sql: str = "", inputs: str = "", **values: Any) -> Json:
    """Return a SQL model, or with `language` or `resource_type` another node, as in manifest.json."""
    listed = [item if "." in item else f"model.p.{item}" for item in inputs.split()]
    return {
        "resource_type": "model",
        "name": name,
        "package_name": "p",
        "relation_name": f"w.{name}",
        "depends_on": {"nodes": listed},
        "columns": {},
        "config": {"materialized": "table"},
        "language": "sql",
        "compiled_code": sql,
    } | values


def manifest(*nodes: Json) -> Json:
    """Return a manifest with some nodes and a source `raw.orders`."""
    source = {
        "resource_type": "source",
        "name": "orders",
        "source_name": "raw",
        "package_name": "p",
        "relation_name": "raw.orders",
        "columns": {},
    }
    by_id = {f"{item['resource_type']}.p.{item['name']}": item for item in nodes}
    return {"nodes": by_id, "sources": {SOURCE: source}}


def documented(*names: str) -> Json:
    """Return documented columns."""
    return {name: {"name": name} for name in names}


SOURCE = "source.p.raw.orders"
SCHEMAS = {SOURCE: {"id": "int", "amount": "int", "day": "date"}}
STG = node("stg", "select id as order_id, amount, day from raw.orders", SOURCE)


def inputs(found: LineageGraph, name: str, column: str) -> list[tuple[str, str, str]]:
    """Return the origins of a model's column: last part of the unique id, column, kind."""
    unique_id = name if "." in name else f"model.p.{name}"
    edges = found.parents(unique_id, column)
    return [(edge.parent.split(".")[-1], edge.parent_column, edge.kind.value) for edge in edges]


def test_upstream_and_downstream_follow_views_on_views() -> None:
    view = node("v", "select * from w.stg", "stg")
    total = node("total", "select sum(amount) as total, count(*) as orders from w.v", "v")
    found = graph(manifest(total, view, STG), SCHEMAS)
    steps = [(edge.parent, edge.parent_column, edge.kind) for edge in found.upstream("model.p.total", "TOTAL")]
    assert steps == [
        ("model.p.v", "amount", Kind.AGGREGATED),
        ("model.p.stg", "amount", Kind.DIRECT),
        (SOURCE, "amount", Kind.DIRECT),
    ]
    assert [edge.node for edge in found.downstream(SOURCE, "amount")] == ["model.p.stg", "model.p.v", "model.p.total"]
    assert inputs(found, "total", "orders") == [("v", "*", "aggregated")]
    assert found.as_dict()["model.p.total"]["total"] == [["model.p.v", "amount", "aggregated"]]
    assert found.as_dict()[SOURCE] == {"id": [], "amount": [], "day": []}
    assert found.unresolved() == []


def test_an_ephemeral_model_is_a_node_between_its_reader_and_its_inputs() -> None:
    cte = "with __dbt__cte__e as (\nselect id, amount * 2 as twice from raw.orders\n)"
    ephemeral = node(
        "e", "select id, amount * 2 as twice from raw.orders", SOURCE, config={"materialized": "ephemeral"}
    )
    ephemeral["relation_name"] = None
    reader = node("r", f"{cte}, c as (select * from __dbt__cte__e) select twice from c", "e")
    found = graph(manifest(reader, ephemeral), SCHEMAS)
    assert inputs(found, "r", "twice") == [("e", "twice", "direct")]
    assert inputs(found, "e", "twice") == [("orders", "amount", "transformed")]
    # If the manifest has no compiled code of the ephemeral model, its CTE is read as part of the reader.
    found = graph(manifest(reader, ephemeral | {"compiled_code": None}), SCHEMAS)
    assert inputs(found, "r", "twice") == [("orders", "amount", "transformed")] or found.unresolved()


def test_a_declared_input_stays_declared_when_the_node_between_is_hidden() -> None:
    declared = node("m", "select u.x from other.u", "stg", config={"meta": {"lineage": {"x": "stg.amount"}}})
    found = graph(manifest(STG, declared), SCHEMAS).without({"model.p.stg"})
    assert inputs(found, "m", "x") == [("orders", "amount", "declared")]


def test_a_snapshot_has_the_columns_of_its_query_and_those_that_dbt_adds() -> None:
    config = {"snapshot_meta_column_names": {"dbt_valid_to": "ended_at"}, "hard_deletes": "new_record"}
    snapshot = node("s", "select * from w.stg", "stg", resource_type="snapshot", config=config)
    found = graph(manifest(snapshot, STG), SCHEMAS)
    assert inputs(found, "snapshot.p.s", "day") == [("stg", "day", "direct")]
    assert list(found.columns["snapshot.p.s"])[3:] == [
        *("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "ended_at", "dbt_is_deleted")
    ]
    assert inputs(found, "snapshot.p.s", "ended_at") == [("", "added by dbt's snapshot", "generated")]


def test_an_incremental_model_may_read_itself() -> None:
    sql = "select order_id from w.stg where day > (select max(day) from w.inc) union all select order_id from w.inc"
    found = graph(manifest(node("inc", sql, "stg"), STG), SCHEMAS)
    assert inputs(found, "inc", "order_id") == [("stg", "order_id", "direct"), ("inc", "order_id", "direct")]
    assert len(found.upstream("model.p.inc", "order_id")) == 3


def test_a_relation_of_another_catalog_and_a_deferred_one_are_found() -> None:
    deferred = STG | {"relation_name": "dev.stg", "defer_relation": {"relation_name": "`prod`.`stg`"}}
    iceberg = node("ice", "select order_id from prod.stg", "stg", relation_name="`ice`.`my-db`.`ice`")
    last = node("last", "select i.order_id from ice.`my-db`.ICE as i", "ice")
    found = graph(manifest(deferred, iceberg, last), SCHEMAS)
    assert inputs(found, "last", "order_id") == [("ice", "order_id", "direct")]
    assert inputs(found, "ice", "order_id") == [("stg", "order_id", "direct")]


def test_a_relation_that_is_no_ref_or_source_is_unresolved() -> None:
    found = graph(manifest(node("m", "select x from other.t")), {})
    reason = "other.t.x: other.t is not a ref or source of the project"
    assert inputs(found, "m", "x") == [("", reason, "unresolved")]


def test_code_that_sqlglot_cannot_read_or_that_is_missing_is_unresolved_with_the_reason() -> None:
    broken = node("broken", "select from where", columns=documented("a"))
    missing = node("missing", columns=documented("a"))
    found = graph(manifest(broken, missing), {})
    assert {edge.node: edge.parent_column.split(":")[0] for edge in found.unresolved()} == {
        "model.p.broken": "sqlglot can't read the SQL",
        "model.p.missing": "the manifest has no compiled code of this model; type `dbt compile`",
    }


def test_a_column_that_a_reader_needs_of_an_unknown_star_is_unresolved() -> None:
    star = node("star", "select * from raw.orders", SOURCE)
    found = graph(manifest(star, node("m", "select amount from w.star", "star")), {})
    assert inputs(found, "m", "amount") == [("star", "amount", "direct")]
    assert inputs(found, "star", "amount") == [("", "star is not known to have this column", "unresolved")]


def python_model(meta: Json, **values: Any) -> Json:
    """Return a Python model with the columns a and order_id that reads `stg`."""
    columns = documented("a", "order_id")
    return node("py", "", "stg", language="python", columns=columns, config={"meta": meta}, **values)


def test_a_python_model_has_declared_and_guessed_inputs() -> None:
    found = graph(manifest(STG, python_model({"lineage": {"A": ["stg.amount", ["stg.day", "stg.*"]]}})), SCHEMAS)
    assert inputs(found, "py", "a") == [
        *(("stg", "amount", "declared"), ("stg", "day", "declared"), ("stg", "*", "declared"))
    ]
    assert inputs(found, "py", "order_id") == [("stg", "order_id", "guessed")]


@pytest.mark.parametrize(
    ("lineage", "kind", "text"),
    [
        ({}, "unresolved", "no input has a column of this name"),
        ({"a": []}, "generated", "declared in `meta.lineage` to have no input column"),
        ({"a": "nothing.x"}, "unresolved", "`meta.lineage` names `nothing.x`; the inputs are stg"),
        ({"a": "stg.x"}, "unresolved", "`meta.lineage` names `stg.x`, and stg has no such column"),
        (["a"], "unresolved", "`meta.lineage` must be a mapping of columns, not list"),
    ],
)
def test_a_declaration_that_is_missing_or_wrong_says_so(lineage: Any, kind: str, text: str) -> None:
    found = graph(manifest(STG, python_model({"lineage": lineage})), SCHEMAS)
    ((_, reason, found_kind),) = inputs(found, "py", "a")
    assert found_kind == kind
    assert text in reason


def test_lineage_is_declared_for_one_column_or_for_all_others() -> None:
    model = python_model({"lineage": {"*": "stg.day"}})
    model["columns"]["a"]["config"] = {"meta": {"lineage": "stg.amount"}}
    found = graph(manifest(STG, model), SCHEMAS)
    assert inputs(found, "py", "a") == [("stg", "amount", "declared")]
    assert inputs(found, "py", "order_id") == [("stg", "day", "declared")]


def test_declared_lineage_replaces_what_sql_leaves_unresolved_and_nothing_else() -> None:
    meta = {"lineage": {"x": "stg.amount", "order_id": "stg.day"}}
    sql = "select u.x, s.order_id from other.u as u join w.stg as s on u.x = s.day"
    found = graph(manifest(STG, node("m", sql, "stg", config={"meta": meta})), SCHEMAS)
    assert inputs(found, "m", "x") == [("stg", "amount", "declared")]
    assert inputs(found, "m", "order_id") == [("stg", "order_id", "direct")]


def test_the_cache_is_used_for_equal_code_and_forgets_the_rest(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = "'0a1b2c3d-0000-4000-8000-{}' as run_id"
    project = manifest(STG, node("m", f"select order_id, {run.format('000000000001')} from w.stg", "stg"))
    cache: dict[str, QueryLineage] = {"old": QueryLineage({})}
    first = graph(project, SCHEMAS, cache)
    assert len(cache) == 2 and "old" not in cache
    query_cache.save(tmp_path, cache)
    loaded = query_cache.load(tmp_path)
    assert loaded == cache
    monkeypatch.setattr("penstock.lineage.model_query.read", lambda *_: pytest.fail("the query was read again"))
    project["nodes"]["model.p.m"]["compiled_code"] = f"select order_id, {run.format('000000000002')} from w.stg"
    assert graph(project, SCHEMAS, loaded) == first
    (tmp_path / "lineage" / "queries.json").write_text("[")
    assert query_cache.load(tmp_path) == {}


def test_a_changed_input_is_read_again() -> None:
    cache: dict[str, QueryLineage] = {}
    view = node("v", "select * from raw.orders", SOURCE)
    assert list(graph(manifest(view), SCHEMAS, cache).columns["model.p.v"]) == ["id", "amount", "day"]
    assert list(graph(manifest(view), {SOURCE: {"id": "int"}}, cache).columns["model.p.v"]) == ["id"]


@pytest.mark.parametrize("text", ["stg.Amount", "p.stg.amount", "model.p.stg.amount", " stg.amount "])
def test_a_column_is_found_by_its_model(text: str) -> None:
    project = manifest(STG)
    found = graph(project, SCHEMAS)
    assert column_reference.find(text, ManifestNodes(project).by_id, found) == ("model.p.stg", "amount")


@pytest.mark.parametrize("text", ["raw.orders.id", "source:raw.orders.id", "source:p.raw.orders.id"])
def test_a_column_of_a_source_is_found_as_dbt_spells_it(text: str) -> None:
    project = manifest(STG)
    assert column_reference.find(text, ManifestNodes(project).by_id, graph(project, SCHEMAS)) == (SOURCE, "id")


@pytest.mark.parametrize(
    ("text", "needed", "do"),
    [
        ("stg.amuont", "a column of stg", "did you mean `amount`?"),
        ("stg.nothing", "a column of stg", "name one of its columns: order_id, amount, day"),
        ("stgg.amount", "a node of this project", "did you mean `stg`?"),
        ("stg", "a column, as in MODEL.COLUMN", "name one of its columns: order_id, amount, day"),
        ("raw.orders", "a column, as in MODEL.COLUMN", "name one of its columns: id, amount, day"),
        ("nothing", "a column, as in MODEL.COLUMN", "see `dbt ls`"),
    ],
)
def test_a_wrong_reference_is_an_error_with_similar_names(text: str, needed: str, do: str) -> None:
    project = manifest(STG)
    with pytest.raises(PenstockError) as error:
        column_reference.find(text, ManifestNodes(project).by_id, graph(project, SCHEMAS))
    assert (error.value.needed, error.value.do) == (needed, do)


def test_the_facet_of_openlineage_has_direct_and_indirect_inputs() -> None:
    sql = "select day, sum(amount) as total, count(*) as n, 1 as one from w.stg where order_id > 0 group by day"
    found = graph(manifest(node("m", sql, "stg"), STG), SCHEMAS)
    facet = openlineage.facet(found, "model.p.m", lambda unique_id: ("spark://here", unique_id))
    assert {name: [_step(item) for item in field["inputFields"]] for name, field in facet["fields"].items()} == {
        "day": ["model.p.stg.day DIRECT IDENTITY"],
        "total": ["model.p.stg.amount DIRECT AGGREGATION"],
    }
    assert [_step(item) for item in facet["dataset"]] == [
        "model.p.stg.order_id INDIRECT FILTER",
        "model.p.stg.day INDIRECT GROUP_BY",
    ]


def _step(item: Json) -> str:
    (transformation,) = item["transformations"]
    assert item["namespace"] == "spark://here"
    return f"{item['name']}.{item['field']} {transformation['type']} {transformation['subtype']}"


def test_an_edge_is_the_public_form_of_an_input() -> None:
    found = graph(manifest(STG), SCHEMAS)
    assert found.parents("model.p.stg", "order_id") == [Edge("model.p.stg", "order_id", SOURCE, "id", Kind.DIRECT)]
