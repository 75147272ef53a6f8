"""What a dbt project can do in each type of Iceberg catalog. --write-docs writes docs/reference/catalogs.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from penstock.spark.server import control
from tests.adapter.intervals_project import LAKE, SOURCES
from tests.support.projects import ROOT, Project, small_project
from tests.support.rest_catalog import rest_catalog

PLAN_TESTS = ROOT / "tests" / "data" / "generic" / "plans_and_files"
PAGE = ROOT / "docs" / "reference" / "catalogs.md"
BEGIN, END = "<!-- begin: what works, written by the tests -->\n", "<!-- end -->\n"
ROWS = (
    "select cast(id as bigint) as id, {{ var('step') }} as step, date'2024-01-01' + cast(id as int) as day from range("
)
INCREMENTAL = (
    "{{ config(materialized='incremental', incremental_strategy='%s'%s) }} " + ROWS + "{{ 10 * var('step') }})"
)
WORKS = "works"


@dataclass(frozen=True)
class Feature:
    """A feature of dbt: the node that uses it, and a query of `{}`, its table, that shows that it worked.

    Attributes:
        title: the feature, for the docs.
        file: the file of the node.
        text: the text of that file.
        query: the query.
        expected: the query's only row after two builds.
    """

    title: str
    file: str
    text: str
    query: str
    expected: tuple[object, ...]

    @property
    def name(self) -> str:
        """The name of the node."""
        return Path(self.file).stem


FEATURES = (
    Feature(
        "table, replaced in one commit",
        "models/kept.sql",
        "{{ config(materialized='table', event_time='day', partition_by=['months(day)', 'bucket(4, id)'], "
        "tblproperties={'write.format.default': 'orc'}) }} " + ROWS + "10)",
        "select count(*), max(step) from {}",
        (10, 2),
    ),
    Feature("view", "models/seen.sql", ROWS + "5)", "select count(*), max(step) from {}", (5, 2)),
    Feature(
        "view that becomes a table",
        "models/changed.sql",
        "{{ config(materialized='view' if var('step') == 1 else 'table') }} " + ROWS + "5)",
        "select count(*), max(step) from {}",
        (5, 2),
    ),
    Feature(
        "table that becomes a view",
        "models/turned.sql",
        "{{ config(materialized='table' if var('step') == 1 else 'view') }} " + ROWS + "5)",
        "select count(*), max(step) from {}",
        (5, 2),
    ),
    Feature(
        "`append`", "models/added.sql", INCREMENTAL % ("append", ""), "select count(*), sum(step) from {}", (30, 50)
    ),
    Feature(
        "`merge`",
        "models/merged.sql",
        INCREMENTAL % ("merge", ", unique_key='id'"),
        "select count(*), min(step) from {}",
        (20, 2),
    ),
    Feature(
        "`insert_overwrite` of partitions",
        "models/overwritten.sql",
        "{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partition_by='days(day)') }} "
        + ROWS
        + "10) {% if is_incremental() %} where id > 6 {% endif %}",
        "select count(*), sum(step) from {}",
        (10, 13),
    ),
    Feature(
        "`microbatch`",
        "models/batched.sql",
        "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', batch_size='year', "
        "begin='2024-01-01', partition_by='years(day)') }} select * from {{ ref('kept') }}",
        # The second build runs only the newest batches, to which no row belongs.
        "select count(*), max(step) from {}",
        (10, 1),
    ),
    Feature(
        "`interval`",
        "models/by_month.sql",
        "{{ config(materialized='incremental', incremental_strategy='interval', event_time='file_month', "
        "partition_by='file_month') }} select id, {{ var('step') }} as step, file_month "
        "from {{ source('lake', 'rides') }}",
        # The second build builds no month, because no landed file changed.
        "select count(*), max(step) from {}",
        (4, 1),
    ),
    Feature(
        "sorted files (`sorted_within`)",
        "models/sorted.sql",
        "{{ config(materialized='table', partition_by='months(day)', sorted_within='mixed') }} "
        "select *, id * 7 % 10 as mixed from (" + ROWS + "10))",
        "select count(*), sum(int(mixed < before)) from "
        "(select mixed, lag(mixed) over (partition by _file order by _pos) as before from {})",
        (10, 0),
    ),
    Feature(
        "changed columns (`sync_all_columns`)",
        "models/synced.sql",
        "{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='sync_all_columns') }} "
        "{% if var('step') == 1 %} select 1 as a, 2 as b "
        "{% else %} select cast(3 as bigint) as a, 'x' as c {% endif %}",
        "select sum(a), max(c) from {}",
        (4, "x"),
    ),
    Feature(
        "contract and descriptions", "models/agreed.sql", ROWS + "3)", "select count(*), max(step) from {}", (3, 2)
    ),
    Feature("seed", "seeds/rates.csv", "id,name\n1,standard\n2,airport\n", "select count(*), max(id) from {}", (2, 2)),
    Feature(
        "snapshot",
        "snapshots/history.sql",
        "{% snapshot history %}{{ config(unique_key='id', strategy='check', check_cols=['step']) }}"
        "select * from {{ ref('merged') }}{% endsnapshot %}",
        "select count(*), sum(int(dbt_valid_to is null)) from {}",
        (30, 20),
    ),
    Feature(
        "Python model: table",
        "models/counted.py",
        "def model(dbt, session):\n    dbt.config(materialized='table')\n"
        "    return dbt.ref('merged').groupBy('step').count()\n",
        "select step, count from {}",
        (2, 20),
    ),
    Feature(
        "Python model: `merge`",
        "models/joined.py",
        "def model(dbt, session):\n"
        "    dbt.config(materialized='incremental', incremental_strategy='merge', unique_key='id')\n"
        "    return dbt.ref('merged').join(dbt.ref('kept').select('id'), 'id')\n",
        "select count(*), min(step) from {}",
        (10, 2),
    ),
    Feature(
        "stored failures",
        "tests/low.sql",
        "{{ config(store_failures=true, severity='warn', database=var('catalog')) }} "
        "select * from {{ ref('merged') }} where id < 2",
        "select count(*), max(step) from {}",
        (2, 2),
    ),
)
DECLARED = {
    "models": [
        {
            "name": "kept",
            "data_tests": [
                {"stats_present": {"name": "kept_statistics"}},
                {"files_per_partition_at_most": {"name": "kept_files", "arguments": {"n": 1}}},
                {"file_sizes_between": {"name": "kept_sizes", "arguments": {"min": 0, "max": 1}}},
                {"plan_exchanges_at_most": {"name": "kept_exchanges", "arguments": {"n": 1}}},
                *(
                    {
                        "plan_prunes_partitions": {
                            "name": f"kept_by_{column}",
                            "arguments": {"column": column, "value": value},
                        }
                    }
                    for column, value in (("id", 3), ("day", "2024-01-02"))
                ),
            ],
        },
        {
            "name": "agreed",
            "description": "agreed rows",
            "config": {
                "materialized": "table",
                "contract": {"enforced": True},
                "persist_docs": {"relation": True, "columns": True},
            },
            "columns": [
                {"name": "id", "data_type": "bigint", "description": "the key", "constraints": [{"type": "not_null"}]},
                {"name": "step", "data_type": "int"},
                {"name": "day", "data_type": "date"},
            ],
        },
    ],
}
PROJECT = """
name: small
version: 1.0.0
profile: small
flags: {send_anonymous_usage_stats: false}
macro-paths: [MACROS, TESTS]
on-run-start: "{{ penstock_sync_lake() }}"
vars: {catalog: ice, step: 1}
models: {+database: "{{ var('catalog') }}"}
seeds: {+database: "{{ var('catalog') }}"}
snapshots: {+database: "{{ var('catalog') }}"}
"""
CATALOGS = ("rest", "hive", "jdbc", "hadoop")
# Why a feature does not work in a type of catalog. Every other feature works in every type.
NO_VIEWS = "no: the catalog has no views"
LACKS = {
    ("view", "hadoop"): NO_VIEWS,
    ("view that becomes a table", "hadoop"): NO_VIEWS,
    ("table that becomes a view", "hadoop"): NO_VIEWS,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that is built in the catalog that the variable `catalog` names."""
    folder = tmp_path_factory.mktemp("features")
    files = {item.file: item.text for item in FEATURES}
    files |= {
        "dbt_project.yml": PROJECT.replace("MACROS", str(ROOT / "macros")).replace("TESTS", str(PLAN_TESTS)),
        "models/declared.yml": yaml.safe_dump(DECLARED),
        "models/lake.yml": SOURCES,
        "lake.yml": LAKE,
        "raw/rides_2024-01.csv": "id,at,zone,fare\n" + "".join(f"{id_},2024-01-05 10:00:00,1,5\n" for id_ in range(4)),
    }
    with rest_catalog(folder / "rest") as rest:
        catalogs = {
            "rest": {"type": "rest", "uri": rest.uri},
            "hive": {"type": "hive"},
            "jdbc": {
                "type": "jdbc",
                "uri": f"jdbc:sqlite:{folder / 'jdbc.db'}",
                "warehouse": str(folder / "jdbc"),
                "options": {"jdbc.schema-version": "V1", "clients": "1"},
            },
            "hadoop": {"type": "hadoop", "warehouse": str(folder / "hadoop")},
        }
        # Each catalog has its own schemas: the catalog `hive` shares the metastore with `spark_catalog`.
        made = small_project(
            folder / "project",
            files,
            {"schema": "{{ env_var('SCHEMA', 'small') }}", "keep_plans": True},
            catalogs=catalogs,
            packages=["delta", "org.xerial:sqlite-jdbc:3.54.1.0@jar"],
        )
        try:
            landed = made.penstock("land", "rides", "2024-01", "--from", "raw")
            assert landed.returncode == 0, landed.stdout
            yield made
        finally:
            control.down(made.settings)


@pytest.fixture(scope="module")
def found(project: Project, request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], str]]:
    """By feature and catalog: that it works, or why not."""
    seen: dict[tuple[str, str], str] = {}
    yield seen
    complete = len(seen) == len(CATALOGS) * (len(FEATURES) + 4)
    if request.config.getoption("--write-docs") and complete:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + table(seen) + END + rest.split(END, 1)[1])


def table(seen: dict[tuple[str, str], str]) -> str:
    """The table of the docs."""
    titles = list(dict.fromkeys(title for title, _ in seen))
    head = f"| | {' | '.join(CATALOGS)} |\n|---|{'---|' * len(CATALOGS)}\n"
    return head + "".join(f"| {title} | {' | '.join(seen[title, item] for item in CATALOGS)} |\n" for title in titles)


def statuses(project: Project) -> dict[str, tuple[str, str]]:
    """The status and message of each node of the last command, by name."""
    results = json.loads((project.root / "target" / "run_results.json").read_text())["results"]
    return {item["unique_id"].split(".")[2]: (item["status"], item["message"] or "") for item in results}


def reason(message: str) -> str:
    """Why a node failed, in the words of the docs."""
    assert message.count("needed: ") == message.count("found: ") == message.count("do: ") == 1, message
    return NO_VIEWS if re.search(r"found: .*view", message) else f"no: {message}"


@pytest.mark.parametrize("catalog", CATALOGS)
def test_what_works_in_a_catalog(project: Project, found: dict[tuple[str, str], str], catalog: str) -> None:
    """Two builds; every table is right, and every feature that the catalog lacks is one error with three parts."""
    environment = {"SCHEMA": f"in_{catalog}"}
    failed: dict[str, str] = {}
    for step in (1, 2):
        done = project.dbt("build", "--vars", f"{{catalog: {catalog}, step: {step}}}", **environment)
        assert "Traceback" not in done.stdout, done.stdout
        failed |= {
            name: message for name, (status, message) in statuses(project).items() if status in ("error", "fail")
        }
    manifest = json.loads((project.root / "target" / "manifest.json").read_text())["nodes"]
    relations = {item["name"]: item["relation_name"] for item in manifest.values()}
    for item in FEATURES:
        if item.name in failed:
            found[item.title, catalog] = reason(failed[item.name])
            continue
        assert relations[item.name].startswith(f"{catalog}.")
        rows = project.sql(item.query.format(relations[item.name]))
        assert rows == [item.expected], item.title
        found[item.title, catalog] = WORKS
    last = statuses(project)
    physical = {name: status for name, (status, _) in last.items() if name.startswith("kept_")}
    assert len(physical) == 6 and set(physical.values()) == {"pass"}, physical
    found["tests of plans and files", catalog] = WORKS
    docs = project.dbt("docs", "generate", "--vars", f"{{catalog: {catalog}, step: 2}}", **environment)
    assert docs.returncode == 0, docs.stdout
    nodes = json.loads((project.root / "target" / "catalog.json").read_text())["nodes"]
    agreed = nodes["model.small.agreed"]
    assert agreed["metadata"]["database"] == catalog
    assert (agreed["metadata"]["comment"], agreed["columns"]["id"]["comment"]) == ("agreed rows", "the key")
    found["`dbt docs generate`", catalog] = WORKS
    for operation in ("compact", "vacuum"):
        command = ("run-operation", operation, "--args", "{model: added}", "--vars", f"{{catalog: {catalog}}}")
        done = project.dbt(*command, **environment)
        assert done.returncode == 0 and f"{operation} {catalog}.in_{catalog}.added: " in done.stdout, done.stdout
        found[f"`{operation}()`", catalog] = WORKS
    assert {key: value for key, value in found.items() if key[1] == catalog and value != WORKS} == {
        key: value for key, value in LACKS.items() if key[1] == catalog
    }


def test_a_dropped_table_leaves_no_files(project: Project) -> None:
    """Neither a table that became a view, nor one of which a whole refresh replaced the rows."""
    folder = project.root.parent / "rest" / "warehouse" / "in_rest"
    assert not list((folder / "turned").rglob("*.parquet"))  # the view has metadata there
    project.sql("call rest.system.expire_snapshots(table => 'in_rest.kept', older_than => now(), retain_last => 1)")
    stored = {path.name for path in (folder / "kept").rglob("*.orc")}
    named = {row[0].rsplit("/", 1)[1] for row in project.sql("select file_path from rest.in_rest.kept.files")}
    assert stored == named and stored


def test_a_target_whose_default_catalog_is_icebergs(project: Project, tmp_path: Path) -> None:
    """Views and names in capital letters are found again, and a schema is dropped with what it contains."""
    files = {
        "models/KEPT.sql": "{{ config(materialized=var('kind')) }} select 1 as id",
        "models/seen.sql": "{{ config(materialized='view') }} select * from {{ ref('KEPT') }}",
        "macros/drop_target.sql": "{% macro drop_target() %}"
        "{% do drop_schema(api.Relation.create(schema=target.schema)) %}{% endmacro %}",
    }
    other = small_project(tmp_path / "other", files, {"database": "rest", "schema": "in_default"}, host=project)
    for kind in ("table", "view", "table"):
        done = other.dbt("run", "--vars", f"kind: {kind}")
        assert done.returncode == 0, done.stdout
    docs = other.dbt("docs", "generate", "--vars", "kind: table")
    assert docs.returncode == 0, docs.stdout
    nodes = json.loads((other.root / "target" / "catalog.json").read_text())["nodes"]
    assert set(nodes) == {"model.small.KEPT", "model.small.seen"}
    dropped = other.dbt("run-operation", "drop_target", "--vars", "kind: table")
    assert dropped.returncode == 0, dropped.stdout
    assert ("in_default",) not in other.sql("show schemas in rest")
