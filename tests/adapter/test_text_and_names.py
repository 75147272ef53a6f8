"""Text comes back as it was written, whatever is in it, and so does every name: in tables, views, seeds, snapshots,
Python models, tests, unit tests and the catalog."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import yaml

from tests.support.projects import Project, edited, small_project

TEXT = 'path C:\\new and \\ it\'s ${x} "d" `b` é ☃\nsecond; line -- no /* comment */ %s {x}'
# By column: what agate or a parser might read as something else.
DESCRIPTIONS = {"id": TEXT, "order": "007", "test-c": "1e5", "a b": "true", "x/y": "null", "do.t": "2024-01-01"}
SELECT = (
    "select 1 as id, {{ var('step', 1) }} as `order`, 'v' as `test-c`, 'pay ${x}; now' as `a b`, 'k' as `x/y`, "
    "2 as `do.t`{% if var('step', 1) | int > 1 %}, 'n' as `new-col`{% endif %}; -- ${y}\n"
)
PROPERTIES = "tblproperties={'delta.columnMapping.mode': 'name'}"
DATA_TYPES = {"id": "int", "test-c": "string"}


def raw(text: str) -> str:
    """A description as YAML holds it: Jinja leaves it alone."""
    return "{% raw %}" + text + "{% endraw %}"


def documented(name: str, description: str = TEXT, **more: Any) -> dict[str, Any]:
    columns = [{"name": key, "description": raw(text)} for key, text in DESCRIPTIONS.items()]
    return {"name": name, "description": raw(description), "columns": columns, **more}


def configured(select: str, **config: str) -> str:
    listed = ", ".join([*(f"{key}={value}" for key, value in config.items()), PROPERTIES])
    return f"{{{{ config({listed}) }}}} {select}"


def snapshot(name: str, select: str, **config: str) -> str:
    return f"{{% snapshot {name} %}}{configured(select, **config)}{{% endsnapshot %}}"


NESTED = {"id": 1, "ns": "array(1,2)", "st": "named_struct('a', 1, 'b', 'it''s')", "m": "map('k', 1)", "t": "C:\\n 'q'"}
FROM_YAML = {**NESTED, "d": date(2024, 1, 2), "n": 1.5, "ns": [1, 2], "st": {"a": 1, "b": "it's"}, "m": {"k": 1}}
FROM_JSON = {**NESTED, "d": "2024-01-02", "n": "1.5", "ns": "[1, 2]", "st": '{"a": 1, "b": "it\'s"}', "m": '{"k": 1}'}
INPUT = "ref('nested')"
UNIT_TESTS = [
    {"name": "as_sql", "model": "reads", "given": [{"input": INPUT, "rows": [NESTED]}], "expect": {"rows": [NESTED]}},
    {
        "name": "as_yaml",
        "model": "reads",
        "given": [{"input": INPUT, "rows": [FROM_YAML]}],
        "expect": {"rows": [FROM_JSON]},
    },
    {
        "name": "other_formats",
        "model": "reads",
        "given": [{"input": INPUT, "format": "csv", "rows": 'id,ns,d,n\n1,"[1,2]",2024-01-02,1.50\n2,,,\n'}],
        "expect": {
            "format": "sql",
            "rows": "select 1 as id, array(1, 2) as ns, null as st, null as m, null as t, date'2024-01-02' as d, "
            "1.50bd as n union all select 2, null, null, null, null, null, null;",
        },
    },
    {
        "name": "is_wrong",
        "model": "reads",
        "given": [{"input": INPUT, "rows": [FROM_YAML]}],
        "expect": {"rows": [{"ns": [2, 1]}]},
    },
]
FILES = {
    "models/viewed.sql": SELECT,
    "models/stored.sql": configured(SELECT, materialized="'table'", partition_by="['x/y']", sorted_within="'a b'"),
    "models/clustered.sql": configured(SELECT, materialized="'table'", clustered_by="['x/y', 'order']"),
    "models/contracted.sql": configured(
        "select 1 as id, 'v' as `test-c`;",
        materialized="'table'",
        contract="{'enforced': true}",
        post_hook="\"update {{ this }} set `test-c` = 'by hook ${x};';\"",
    ),
    "models/merged.sql": configured(
        SELECT,
        materialized="'incremental'",
        incremental_strategy="'merge'",
        unique_key="['`x/y`', 'do.t']",
        merge_exclude_columns="['a b']",
        on_schema_change="'append_new_columns'",
    ),
    "models/computed.py": (
        "def model(dbt, session):\n"
        "    dbt.config(materialized='incremental', incremental_strategy='merge', unique_key=['x/y', 'order'],\n"
        "               tblproperties={'delta.columnMapping.mode': 'name'})\n"
        "    return session.sql(\"\"\"select 1 as id, 1 as `order`, 'v' as `test-c`, 'pay ${x}; now' as `a b`,\n"
        '                       \'k\' as `x/y`, 2 as `do.t`, 5 as `ba``ck`;""")\n'
    ),
    "models/nested.sql": (
        "{{ config(materialized='table') }} select 1 as id, array(1, 2) as ns, named_struct('a', 1, 'b', 'x') as st, "
        "map('k', 1) as m, 'x' as t, date'2024-01-01' as d, 1.5bd as n"
    ),
    "models/reads.sql": "select * from {{ ref('nested') }};",
    "seeds/sown.csv": "id,order,test-c,x/y\n1,1,pay ${x},a\n",
    "snapshots/kept.sql": snapshot(
        "kept", "select * from {{ ref('stored') }};", unique_key="'x/y'", strategy="'check'", check_cols="['test-c']"
    ),
    "snapshots/dated.sql": snapshot(
        "dated",
        "select *, timestamp'2024-01-01' as `up-at` from {{ ref('stored') }}",
        unique_key="['x/y', 'do.t']",
        strategy="'timestamp'",
        updated_at="'up-at'",
        hard_deletes="'invalidate'",
    ),
    "tests/counted.sql": "select count(*), 'a;b' as `a;b` from {{ ref('nested') }} having count(*) > 0;",
    "tests/twice.sql": "select a.id, b.id, b.ID from {{ ref('nested') }} a join {{ ref('nested') }} b on true;",
    "tests/seen.sql": "{{ config(store_failures_as='view') }} select id, id from {{ ref('nested') }}",
    "models/all.yml": yaml.safe_dump(
        {
            "models": [
                *(documented(name) for name in ("viewed", "stored", "clustered", "merged", "computed")),
                *({"name": name, "description": text} for name, text in (("nested", "007"), ("reads", "null"))),
                {
                    "name": "contracted",
                    "columns": [
                        {"name": name, "data_type": kind, "constraints": [{"type": "not_null"}]}
                        for name, kind in DATA_TYPES.items()
                    ],
                },
            ],
            "seeds": [documented("sown")],
            "snapshots": [documented("kept"), documented("dated")],
            "unit_tests": UNIT_TESTS,
        },
        allow_unicode=True,
    ),
    "dbt_project.yml": yaml.safe_dump(
        {
            "name": "small",
            "profile": "small",
            "flags": {"send_anonymous_usage_stats": False},
            **{
                kind: {"+persist_docs": {"relation": True, "columns": True}}
                for kind in ("models", "seeds", "snapshots")
            },
        }
    ),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, host: Project) -> Project:
    """Everything built twice: the second time with other values and one more column."""
    project = small_project(tmp_path_factory.mktemp("written"), FILES, host=host)
    for step in (1, 2):
        done = project.dbt(
            "build", "--exclude", "resource_type:test", "resource_type:unit_test", "--vars", f"step: {step}"
        )
        assert done.returncode == 0, done.stdout
    return project


def test_values_and_keys_are_as_written(written: Project) -> None:
    """Dollars, semicolons and comments in literals; keys that need quotes, in SQL and Python."""
    for name in ("viewed", "stored", "clustered", "computed"):
        assert written.sql(f"select `a b` from small.{name}") == [("pay ${x}; now",)], name
    assert written.sql("select `test-c` from small.sown") == [("pay ${x}",)]
    assert written.sql("select `order`, `a b`, `new-col` from small.merged") == [(2, "pay ${x}; now", "n")]
    assert written.sql("select `test-c` from small.contracted") == [("by hook ${x};",)]
    assert written.sql("select count(*) from small.kept") == written.sql("select count(*) from small.dated") == [(1,)]


def test_the_catalog_has_every_description(written: Project) -> None:
    """Character by character, of every materialization."""
    done = written.dbt("docs", "generate", "--vars", "step: 2")
    assert done.returncode == 0, done.stdout
    target = written.root / "target"
    found = json.loads((target / "catalog.json").read_text())["nodes"]
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    kinds = ("model", "seed", "snapshot")
    wanted = {key: node for key, node in nodes.items() if node["resource_type"] in kinds}
    assert set(found) == set(wanted)
    for key, node in wanted.items():
        assert (found[key]["metadata"]["comment"] or "") == node["description"], key
        for name, column in node["columns"].items():
            if name in found[key]["columns"]:
                assert (found[key]["columns"][name]["comment"] or "") == column["description"], (key, name)
    assert {column for key in found for column in found[key]["columns"]} >= set(DESCRIPTIONS)


def test_failures_are_stored_whatever_their_columns_are_called(written: Project) -> None:
    """`count(*)` and two columns of one name: the same result as without storing."""
    done = written.dbt("test", "--select", "test_type:singular", "--store-failures")
    assert all(f"FAIL 1 {name}" in done.stdout for name in ("counted", "twice", "seen")), done.stdout
    assert written.sql("select * from small_dbt_test__audit.counted") == [(1, "a;b")]
    assert written.sql("select id, id_2, ID_3 from small_dbt_test__audit.twice") == [(1, 1, 1)]
    assert written.sql("select id_2 from small_dbt_test__audit.seen") == [(1,)]


def test_unit_tests_take_nested_values(written: Project) -> None:
    """As SQL, as YAML, as JSON; text with quotes and backslashes; and one that is wrong still fails."""
    done = written.dbt("test", "--select", "test_type:unit")
    passed = [name for name in ("as_sql", "as_yaml", "other_formats") if f"PASS reads::{name}" in done.stdout]
    assert len(passed) == 3 and "FAIL 1 reads::is_wrong" in done.stdout, done.stdout


@pytest.mark.parametrize("query", ["select '${x}' as a;", "select '${x}' as a;; -- why", "-- ;\nselect '${x}' as a"])
def test_show_takes_a_last_semicolon(written: Project, query: str) -> None:
    done = written.dbt("show", "--output", "json", "--inline", query)
    assert '"a": "${x}"' in done.stdout, done.stdout


def test_what_is_described_already_is_left_alone(written: Project) -> None:
    """A run of an unchanged incremental model commits its rows alone; a changed description reaches the table."""
    before = len(written.sql("describe history small.merged"))
    assert written.dbt("run", "--select", "merged", "--vars", "step: 2").returncode == 0
    assert len(written.sql("describe history small.merged")) == before + 1
    config = written.root / "models" / "all.yml"
    changed = yaml.safe_load(config.read_text())
    next(item for item in changed["models"] if item["name"] == "merged")["description"] = "another\\one"
    with edited(config, yaml.safe_dump(changed)):
        assert written.dbt("run", "--select", "merged", "--vars", "step: 2").returncode == 0
    comment = [row[1] for row in written.sql("describe extended small.merged") if row[0] == "Comment"]
    assert comment == ["another\\one"]
